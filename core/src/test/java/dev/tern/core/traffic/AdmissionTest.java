package dev.tern.core.traffic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import org.junit.jupiter.api.Test;

class AdmissionTest {
  private static final long MILLI = 1_000_000;
  private static final int MOST = 1 << 20;

  private final Admission admission = new Admission(MOST, 0);

  @Test
  void whatDoesNotFitIsRefusedUntilThereIsRoom() {
    assertTrue(admission.admits(MOST / 2));
    assertTrue(admission.admits(MOST / 2));
    assertFalse(admission.admits(1));
    admission.finished(MOST / 2);
    assertTrue(admission.admits(1));
    admission.finished(1);
    admission.finished(MOST / 2);
    assertTrue(admission.admits(100L * MOST), "one request always fits");
    assertFalse(admission.admits(1));
  }

  @Test
  void theTimeToWaitIsThatOfWhatIsUnderWayAtTheRateOfLate() {
    assertEquals(Admission.USUAL_RETRY_MILLIS, admission.retryAfterMillis(0));
    assertTrue(admission.admits(MOST));
    admission.beat(200 * MILLI);
    // Within 200 ms a quarter of it is done: the rest takes 600.
    admission.finished(MOST / 4);
    assertEquals(600, admission.retryAfterMillis(400 * MILLI));
    admission.beat(400 * MILLI);
    assertEquals(750, admission.retryAfterMillis(450 * MILLI));
    assertEquals(Reason.OVERLOADED, admission.refusal("full", 450 * MILLI).reason());
    assertEquals(750, admission.refusal("full", 450 * MILLI).retryAfterMillis());
  }

  @Test
  void theTimeToWaitIsBounded() {
    assertTrue(admission.admits(MOST));
    admission.beat(0);
    for (long now = 200 * MILLI; now < 60_000 * MILLI; now += 200 * MILLI) {
      admission.beat(now);
      long millis = admission.retryAfterMillis(now);
      assertEquals(Math.min(Admission.MAX_RETRY_MILLIS, now / MILLI), millis, "nothing moves");
    }
    Admission quick = new Admission(MOST, 0);
    assertTrue(quick.admits(MOST));
    quick.beat(0);
    quick.finished(MOST - 1);
    assertEquals(Admission.MIN_RETRY_MILLIS, quick.retryAfterMillis(100 * MILLI));
  }

  @Test
  void whatLittleIsAskedSaysNothingOfTheRate() {
    for (long now = 0; now < 2_000 * MILLI; now += 200 * MILLI) {
      assertTrue(admission.admits(1_000));
      admission.finished(1_000);
      admission.beat(now);
    }
    assertTrue(admission.admits(MOST));
    assertEquals(Admission.USUAL_RETRY_MILLIS, admission.retryAfterMillis(1_900 * MILLI));
  }

  @Test
  void costsFollowWhatIsWrittenAndWhatReadsAnswered() {
    byte[] key = new byte[20];
    Update put = new Update.Put(new byte[5_000], Update.NO_EXPIRY, Update.Condition.NONE, false);
    assertEquals(Admission.FIXED_BYTES + 5_020, admission.updateCost(key, put));
    assertEquals(Admission.FIXED_BYTES, admission.readCost(key));
    Siblings record = Siblings.of(Version.put(1, 1, 1, 0, new byte[100_000]));
    admission.answered(key, record);
    assertEquals(Admission.FIXED_BYTES + 100_000, admission.readCost(key));
    assertEquals(admission.readCost(key) + 20, admission.updateCost(key, new Update.Add(1)));
    admission.answered(key, null);
    assertEquals(Admission.FIXED_BYTES, admission.readCost(key));
  }

  @Test
  void aLargeRecordDoesNotMakeOtherKeysExpensive() {
    Siblings large = Siblings.of(Version.put(1, 1, 1, 0, new byte[MOST]));
    admission.answered(new byte[] {1}, large);
    for (int i = 0; i < 900; i++) {
      byte[] key = {2, (byte) i, (byte) (i >> 8)};
      assertTrue(admission.admits(admission.readCost(key)), "small read " + i);
    }
    assertFalse(admission.admits(admission.readCost(new byte[] {1})));
  }
}
