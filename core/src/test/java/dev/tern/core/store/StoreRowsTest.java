package dev.tern.core.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.core.topology.ClusterId;
import dev.tern.env.DecodeException;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// The bytes of a record store's own rows in `meta`, of stores of format 5.
class StoreRowsTest {
  /// The first message of a refusal loads what formats it.
  private static final int MOST_BYTES = 1 << 20;

  private static void check(String name, byte[] made, UnaryOperator<byte[]> again)
      throws IOException {
    byte[] wanted = Golden.of("meta-5-" + name, made);
    assertArrayEquals(wanted, made, name);
    assertArrayEquals(wanted, again.apply(wanted), name);
    new Hostile(row -> assertNotNull(again.apply(row)), MOST_BYTES).all(wanted);
  }

  @Test
  void rowsOfTheStore() throws IOException {
    int[] numbers = {1, 65_535, 3};
    check("groups", StoreRows.groups(numbers), row -> StoreRows.groups(StoreRows.groups(row)));
    StoreRows.Identity identity = new StoreRows.Identity(-7, 4, 1_024, 5);
    check("identity", identity.encoded(), row -> StoreRows.Identity.decode(row).encoded());
    assertEquals(identity, StoreRows.Identity.decode(identity.encoded()));
    StoreRows.Owner owner = new StoreRows.Owner(new ClusterId(-5, 7), 3);
    check("owner", owner.encoded(), row -> StoreRows.Owner.decode(row).encoded());
  }

  @Test
  void whatNoStoreWritesIsRefused() {
    refused(() -> StoreRows.Identity.decode(new StoreRows.Identity(0, 1, 8, 5).encoded()));
    // What a later format adds is not looked at: its number is said.
    byte[] later = Arrays.copyOf(new StoreRows.Identity(1, 1, 8, 6).encoded(), 20);
    assertEquals(6, StoreRows.Identity.decode(later).format());
    byte[] longer = Arrays.copyOf(new StoreRows.Identity(1, 1, 8, 5).encoded(), 20);
    refused(() -> StoreRows.Identity.decode(longer));
    refused(() -> StoreRows.Owner.decode(new StoreRows.Owner(ClusterId.NONE, 1).encoded()));
    refused(() -> StoreRows.Owner.decode(new StoreRows.Owner(new ClusterId(1, 1), 0).encoded()));
    for (int[] wrong : new int[][] {{0}, {65_536}, {-3}, {1, 1}}) {
      refused(() -> StoreRows.groups(StoreRows.groups(wrong)));
    }
  }

  private static void refused(Executable decoding) {
    assertThrows(DecodeException.class, decoding);
  }
}
