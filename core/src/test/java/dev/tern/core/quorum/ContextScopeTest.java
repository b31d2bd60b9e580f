package dev.tern.core.quorum;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.version.DotSet;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ContextScopeTest {
  private static final ClusterId CLUSTER = new ClusterId(1, 2);

  private static ContextScope scope(ClusterId cluster, int keyspace, String key) {
    return new ContextScope(cluster, keyspace, key.getBytes(US_ASCII));
  }

  private static DotSet dots() {
    DotSet dots = new DotSet();
    dots.addRun(7, 1, 40);
    dots.addRun(9, 3, 3);
    return dots;
  }

  @Test
  void aContextIsGoodForItsKeyOnly() {
    byte[] sealed = scope(CLUSTER, 3, "key").seal(dots());
    DotSet opened = scope(CLUSTER, 3, "key").unseal(sealed);
    assertTrue(opened.covers(dots()) && dots().covers(opened));
    ContextScope[] others = {
      scope(CLUSTER, 3, "kez"),
      scope(CLUSTER, 3, ""),
      scope(CLUSTER, 4, "key"),
      scope(new ClusterId(1, 3), 3, "key")
    };
    for (ContextScope other : others) {
      assertThrows(DecodeException.class, () -> other.unseal(sealed));
    }
  }

  /// Nodes serve requests before they have learnt the cluster's id.
  @Test
  void aContextOutlivesTheFounding() {
    ContextScope before = scope(ClusterId.NONE, 3, "key");
    ContextScope after = scope(CLUSTER, 3, "key");
    assertTrue(after.unseal(before.seal(dots())).covers(dots()));
    assertTrue(before.unseal(after.seal(dots())).covers(dots()));
    assertThrows(
        DecodeException.class, () -> after.unseal(scope(ClusterId.NONE, 3, "k").seal(dots())));
  }

  @Test
  void aContextThatWasDamagedIsFoundOut() {
    ContextScope scope = scope(CLUSTER, 3, "key");
    byte[] sealed = scope.seal(dots());
    for (int bit = 0; bit < sealed.length * 8; bit++) {
      byte[] damaged = sealed.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      assertThrows(DecodeException.class, () -> scope.unseal(damaged));
    }
    for (int length = 1; length < sealed.length; length++) {
      byte[] cut = Arrays.copyOf(sealed, length);
      assertThrows(DecodeException.class, () -> scope.unseal(cut));
    }
    assertTrue(scope.unseal(new byte[0]).isEmpty());
  }

  /// Clients keep contexts, so their bytes are a format.
  @Test
  void contextsOfFormat1() throws IOException {
    ContextScope scope = scope(CLUSTER, 3, "key");
    byte[] made = scope.seal(dots());
    byte[] wanted = Golden.of("context-1", made);
    assertArrayEquals(wanted, made);
    assertArrayEquals(wanted, scope.seal(scope.unseal(wanted)));
    Hostile hostile = new Hostile(scope::unseal, 1 << 20);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() * 9 / 10, "refused " + hostile.refused());
  }

  /// The tag is no secret: a client can make it right for whatever dots it likes.
  @Test
  void forgedContextsAreReadOrRefused() {
    ContextScope scope = scope(CLUSTER, 3, "key");
    Hostile hostile = new Hostile(dots -> scope.unseal(forged(scope, dots)), 1 << 20);
    hostile.all(dots().encoded());
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  private static byte[] forged(ContextScope scope, byte[] dots) {
    ByteWriter out = new ByteWriter().writeBytes(dots);
    return out.writeInt(scope.tag(dots, dots.length)).writeInt(0).toByteArray();
  }
}
