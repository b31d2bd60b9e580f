package dev.tern.core.ring;

import java.util.BitSet;
import java.util.function.IntPredicate;

/// Who stands first in each list: of a member's k replicas `k / n`, rounded down or up. Nothing
/// moves for it but the order of a list.
final class Leads {
  private final int[][] lists;

  /// By member index: the partitions it holds, and those it leads.
  private final BitSet[] held;

  private final BitSet[] led;

  /// By member index.
  final int[] leads;

  private final int[] least;
  private final int[] most;

  /// @param lists full ones of n places each, changed in place
  Leads(int[][] lists, int members, int[] shares, int n) {
    this.lists = lists;
    this.held = new BitSet[members];
    this.led = new BitSet[members];
    this.leads = new int[members];
    this.least = new int[members];
    this.most = new int[members];
    for (int i = 0; i < members; i++) {
      held[i] = new BitSet(lists.length);
      led[i] = new BitSet(lists.length);
      least[i] = shares[i] / n;
      most[i] = (shares[i] + n - 1) / n;
    }
    for (int p = 0; p < lists.length; p++) {
      for (int member : lists[p]) {
        held[member].set(p);
      }
      led[lists[p][0]].set(p);
      leads[lists[p][0]]++;
    }
  }

  /// A division of each list among its members is even, so whole numbers near it can be had, and
  /// chains of exchanges lead to them.
  void balance() {
    for (int member = 0; member < leads.length; member++) {
      while (leads[member] > most[member]) {
        chain(member, true, other -> leads[other] < most[other]);
      }
    }
    for (int member = 0; member < leads.length; member++) {
      while (leads[member] < least[member]) {
        chain(member, false, other -> leads[other] > least[other]);
      }
    }
    for (int member = 0; member < leads.length; member++) {
      assert leads[member] >= least[member] && leads[member] <= most[member] : member;
    }
  }

  /// Hands a lead from a member (or to it) along the shortest chain whose other end is a goal.
  private void chain(int start, boolean gives, IntPredicate goal) {
    int[] before = new int[leads.length];
    int[] through = new int[leads.length];
    BitSet seen = new BitSet(leads.length);
    int[] queue = new int[leads.length];
    int tail = 1;
    queue[0] = start;
    seen.set(start);
    for (int head = 0; head < tail; head++) {
      int member = queue[head];
      if (goal.test(member)) {
        hand(start, member, gives, before, through);
        return;
      }
      BitSet partitions = gives ? led[member] : held[member];
      for (int p = partitions.nextSetBit(0); p >= 0; p = partitions.nextSetBit(p + 1)) {
        int candidates = gives ? lists[p].length : 1;
        for (int place = 0; place < candidates; place++) {
          int other = lists[p][place];
          if (!seen.get(other)) {
            seen.set(other);
            before[other] = member;
            through[other] = p;
            queue[tail++] = other;
          }
        }
      }
    }
    throw new AssertionError("leads cannot be even");
  }

  private void hand(int start, int end, boolean gives, int[] before, int[] through) {
    int member = end;
    while (member != start) {
      lead(through[member], gives ? member : before[member]);
      member = before[member];
    }
  }

  private void lead(int p, int member) {
    int[] list = lists[p];
    int first = list[0];
    led[first].clear(p);
    leads[first]--;
    led[member].set(p);
    leads[member]++;
    for (int place = 1; place < list.length; place++) {
      if (list[place] == member) {
        list[place] = first;
      }
    }
    list[0] = member;
  }
}
