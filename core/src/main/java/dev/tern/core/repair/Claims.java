package dev.tern.core.repair;

import dev.tern.core.context.CoreMark;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.env.CoverageMarks;

/// What a replica of one partition may say that it has by the pages of one other replica, and when;
/// and what that one could not give.
///
/// A dot without a record of its own on a page was replaced at the sender. Its replacement, the
/// replacement of that, and so on, end in a record of the sender or in a delete that is stripped.
/// That end is among the dots of the clock that came with the page. So once all of that clock is
/// here, or may be claimed by the same rule, the end is here, and the dot may be claimed. Claimed
/// earlier, a version of the dot that is held by another replica only would be taken for replaced
/// by nothing: a read would show nothing, and read repair remove it.
///
/// Invariants: nothing is claimed whose record was refused here. On the shard's loop.
final class Claims {
  private DotSet replaced = new DotSet();
  private DotSet clock = new DotSet();

  /// Dots that were refused here or unreadable there: not asked for again until the next pass.
  private DotSet passedOver = new DotSet();

  private final Repeated unreadable = new Repeated();
  private final Repeated refusals = new Repeated();

  /// Dots to which the same happened in two passes, which are [Exchange#AGAIN_NANOS] apart at
  /// least.
  private static final class Repeated {
    private final DotSet twice = new DotSet();

    /// In this pass, or before.
    private final DotSet once = new DotSet();

    /// The same when this pass began.
    private DotSet before = new DotSet();

    void happened(DotSet dots) {
      twice.addAll(dots.and(before));
      once.addAll(dots);
    }

    void nextPass() {
      before = once.copy();
    }
  }

  /// A page has come and its records are stored.
  ///
  /// @param speaksFor the dots that the page covers, without those of records that were refused
  /// @param told the clock that came with it
  /// @param refused dots that were refused here
  /// @param unread dots that could not be read there
  void page(DotSet speaksFor, DotSet told, DotSet refused, DotSet unread) {
    assert speaksFor.and(refused).isEmpty() : "a page speaks for what was refused";
    replaced.addAll(speaksFor);
    if (told.covers(clock)) {
      clock = told;
    } else {
      clock = clock.copy();
      clock.addAll(told);
    }
    passedOver.addAll(refused);
    passedOver.addAll(unread);
    unreadable.happened(unread);
    refusals.happened(refused);
  }

  /// Dots whose records were refused here in two passes: a record that cannot be read here may hide
  /// what the other replica lacks, so nothing is written over it until that one has it. Of these
  /// dots, and of what they replaced, nothing is claimed.
  DotSet untaken() {
    return refusals.twice;
  }

  /// Dots that the other replica could not read in two passes: for these it is as good as gone.
  DotSet ungiven() {
    return unreadable.twice;
  }

  /// The other replica says what it has. If that is not all that its pages spoke of, its directory
  /// was set back: what it lost may come from nowhere, so what waits for it is asked for again.
  void heard(DotView told) {
    if (!told.covers(clock)) {
      assert CoverageMarks.reach(CoreMark.CLAIMS_BEGAN_ANEW);
      replaced = new DotSet();
      clock = new DotSet();
    }
  }

  /// The dots that may be claimed now; none while something of the clock is missing.
  ///
  /// @param here the clock of this replica
  DotSet ripe(DotView here) {
    if (replaced.isEmpty()) {
      return new DotSet();
    }
    // A set with too many gaps forgets: of what is here, never of what has to be.
    DotSet both = here.copy();
    both.addAll(replaced);
    if (!both.covers(clock)) {
      return new DotSet();
    }
    DotSet ripe = replaced;
    replaced = new DotSet();
    clock = new DotSet();
    return ripe;
  }

  /// What is to be asked for of what that replica has and this one lacks.
  DotSet toAsk(DotSet lacking) {
    return lacking.minus(replaced).minus(passedOver);
  }

  boolean hasPassedOver() {
    return !passedOver.isEmpty();
  }

  /// Lets what was passed over be asked for again.
  void again() {
    unreadable.nextPass();
    refusals.nextPass();
    passedOver = new DotSet();
  }
}
