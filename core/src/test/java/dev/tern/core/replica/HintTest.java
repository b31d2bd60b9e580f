package dev.tern.core.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.store.RecordKey;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// The bytes of a hint.
class HintTest {
  @Test
  void hintsOfFormat4() throws IOException {
    Siblings record = Siblings.of(Version.put(7, 300, 1L << 50, 0, "v".getBytes(US_ASCII)));
    ByteWriter out = new ByteWriter();
    byte[] recordKey = RecordKey.of(2, 300, 5, 0xfeedface, "key".getBytes(US_ASCII));
    Hint.encode(recordKey, 1_790_000_000_000L, record, out);
    byte[] wanted = Golden.of("hint-4", out.toByteArray());
    assertArrayEquals(wanted, out.toByteArray());
    Hint hint = Hint.decode(12, wanted);
    assertEquals(5, hint.keyspace());
    assertEquals(300, hint.slot());
    assertEquals(1_790_000_000_000L, hint.heldSinceMillis());
    assertArrayEquals("key".getBytes(US_ASCII), hint.key());
    assertArrayEquals(record.encoded(), hint.record().encoded());
    Hostile hostile = new Hostile(bytes -> Hint.decode(12, bytes), 1 << 20);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  /// A row has no number of its own: the store's format says how it is read. A row of format 3 that
  /// a store of today had is not taken for another hint.
  @Test
  void hintsOfFormat3AreRefused() throws IOException {
    byte[] row = Golden.read("hint-3");
    assertThrows(DecodeException.class, () -> Hint.decode(12, row));
  }
}
