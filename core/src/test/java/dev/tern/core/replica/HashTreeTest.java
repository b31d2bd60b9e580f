package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/// Which hashes of segments are known. A hash that is taken for known and is not hides a lost
/// record from repair.
class HashTreeTest {
  private final HashTree tree = new HashTree();

  @Test
  void aWriteMakesTheHashOfItsSegmentUnknownAndNoOther() {
    tree.learn(0, 7);
    tree.learn(63, 8);
    assertTrue(tree.isKnown(0));
    assertEquals(7, tree.hash(0));
    assertEquals(8, tree.hash(63));
    assertTrue(tree.touch(0), "its row has to go");
    assertFalse(tree.isKnown(0));
    assertEquals(1L << 63, tree.known());
    assertFalse(tree.touch(0), "there is no row");
  }

  @Test
  void aWriteDuringTheReadingIsSeen() {
    tree.reads(0b110, 0);
    assertTrue(tree.isUntouched(1));
    assertTrue(tree.isUntouched(2));
    assertFalse(tree.isUntouched(3));
    tree.touch(1);
    assertFalse(tree.isUntouched(1));
    assertTrue(tree.isUntouched(2));
  }

  @Test
  void theSegmentWhoseReadingGoesOnStaysAsItWas() {
    tree.reads(0b11, 0);
    tree.touch(1);
    tree.reads(0b100, 1);
    assertFalse(tree.isUntouched(1), "it was written to");
    tree.reads(0b1000, 2);
    assertTrue(tree.isUntouched(2));
    assertFalse(tree.isUntouched(0), "it is not read any more");
  }

  @Test
  void nothingIsKnownOnceAllIsForgotten() {
    tree.learn(5, 1);
    tree.reads(1L << 6, 0);
    tree.forget();
    assertEquals(0, tree.known());
    assertFalse(tree.isUntouched(6));
  }
}
