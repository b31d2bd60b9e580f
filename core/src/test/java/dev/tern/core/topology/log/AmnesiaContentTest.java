package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// What `topology/forgetful` holds within its file.
class AmnesiaContentTest {
  @Test
  void aLifeOfFormat2() throws IOException {
    byte[] made = Amnesia.content(0x1234_5678_9abc_def0L);
    byte[] wanted = Golden.of("forgetful-2", made);
    assertArrayEquals(wanted, made);
    assertEquals(0x1234_5678_9abc_def0L, Amnesia.life(wanted));
    Hostile hostile = new Hostile(bytes -> Amnesia.life(bytes), 1 << 20);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }
}
