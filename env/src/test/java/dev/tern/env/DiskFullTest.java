package dev.tern.env;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Test;

/// A full disk is waited out, a broken one is not: the two must not be mixed up.
class DiskFullTest {
  @Test
  void itIsFoundAmongTheCauses() {
    IOException full = new IOException("write: No space left on device");
    assertTrue(DiskFull.is(full));
    assertTrue(DiskFull.is(new UncheckedIOException(full)));
    assertTrue(
        DiskFull.is(new IllegalStateException("a flush failed", new IOException("x", full))));
    assertTrue(DiskFull.is(new IOException("Disk quota exceeded")));
  }

  @Test
  void otherFailuresAreNone() {
    assertFalse(DiskFull.is(null));
    assertFalse(DiskFull.is(new IOException((String) null)));
    assertFalse(DiskFull.is(new IOException("Input/output error")));
    assertFalse(DiskFull.says(null));
    assertFalse(DiskFull.says("the disk is gone"));
  }

  @Test
  void aCircleOfCausesEnds() {
    Exception first = new Exception("first");
    first.initCause(new Exception("second", first));
    assertFalse(DiskFull.is(first));
  }
}
