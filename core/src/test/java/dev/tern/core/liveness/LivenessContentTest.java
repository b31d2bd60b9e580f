package dev.tern.core.liveness;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// What `gossip/generation` holds within its file.
class LivenessContentTest {
  @Test
  void startsOfFormat2() throws IOException {
    byte[] made = Liveness.content(70_000);
    byte[] wanted = Golden.of("generation-2", made);
    assertArrayEquals(wanted, made);
    assertEquals(70_000, Liveness.generation(wanted));
    Hostile hostile = new Hostile(bytes -> Liveness.generation(bytes), 1 << 20);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }
}
