package dev.tern.gateway.resp;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ConnectionModeTest {
  private static ConnectionMode after(int keys, double share, long seed) {
    ConnectionMode mode = new ConnectionMode();
    Random random = new Random(seed);
    for (int i = 0; i < keys; i++) {
      if (mode.wantsKey()) {
        mode.named(random.nextInt(16_384), random.nextDouble() < share);
      }
    }
    return mode;
  }

  @Test
  void aConnectionThatHasSaidNothingMeansAllKeys() {
    assertFalse(new ConnectionMode().meansThisNode());
  }

  @Test
  void plainClientsMeanAllKeysHoweverManyTheyHaveNamed() {
    for (int keys = 1; keys < 2_000; keys += 7) {
      assertFalse(after(keys, 1 / 3.0, keys).meansThisNode(), keys + " keys");
    }
  }

  @Test
  void clientsThatGoByTheSlotsMeanThisNodesKeys() {
    for (int keys = 40; keys < 2_000; keys += 7) {
      assertTrue(after(keys, 1, keys).meansThisNode(), keys + " keys");
    }
    assertTrue(after(1_000, 0.98, 5).meansThisNode(), "with a map of slots that is a little old");
  }

  @Test
  void oneHotKeyTellsNothing() {
    ConnectionMode mode = new ConnectionMode();
    for (int i = 0; i < 1_000; i++) {
      if (mode.wantsKey()) {
        mode.named(77, true);
      }
    }
    assertFalse(mode.meansThisNode());
  }

  @Test
  void whoAsksForTheSlotsIsOfAClusterAndWhatIsSaidCounts() {
    ConnectionMode mode = new ConnectionMode();
    mode.askedForSlots();
    assertTrue(mode.meansThisNode());
    assertTrue(mode.refusesManySlots());
    mode.choose(false);
    mode.askedForSlots();
    assertFalse(mode.meansThisNode());
    mode.reset();
    assertFalse(mode.refusesManySlots());
  }
}
