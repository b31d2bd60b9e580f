package dev.tern.core.gossip;

import dev.tern.env.Randomness;
import java.util.Arrays;

/// The members that may be asked, in the order they will be: each once a round, every round in
/// another order (SWIM's round-robin probing: it bounds the time until a dead one is asked).
final class ProbeOrder {
  private final Randomness random;

  /// The first [#size] are exactly the members believed alive or suspect, without this one.
  private int[] order = new int[8];

  private int size;

  /// Those before it were asked in this round.
  private int cursor;

  ProbeOrder(Randomness random) {
    this.random = random;
  }

  int size() {
    return size;
  }

  /// Puts a member anywhere: those who learn of it at once shall not all ask it at once.
  void add(int member) {
    if (size == order.length) {
      order = Arrays.copyOf(order, 2 * size);
    }
    int at = random.nextInt(size + 1);
    System.arraycopy(order, at, order, at + 1, size - at);
    order[at] = member;
    size++;
    if (at < cursor) {
      cursor++;
    }
  }

  void remove(int member) {
    for (int i = 0; i < size; i++) {
      if (order[i] == member) {
        size--;
        System.arraycopy(order, i + 1, order, i, size - i);
        if (i < cursor) {
          cursor--;
        }
        return;
      }
    }
    assert false : member + " is not there";
  }

  /// The next to ask, 0 if there is none.
  int next() {
    if (size == 0) {
      return 0;
    }
    if (cursor >= size) {
      cursor = 0;
      for (int i = size - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
      }
    }
    return order[cursor++];
  }

  /// One at random, 0 if there is none.
  int any() {
    return size == 0 ? 0 : order[random.nextInt(size)];
  }

  /// Up to `count` different ones at random, none of them `except`.
  int[] some(int count, int except) {
    int[] chosen = new int[Math.min(count, size)];
    int found = 0;
    int start = size == 0 ? 0 : random.nextInt(size);
    for (int i = 0; i < size && found < chosen.length; i++) {
      // Few of many are drawn one by one; few of few are all there are, from anywhere on.
      int candidate = size > 4 * count ? any() : order[(start + i) % size];
      boolean taken = candidate == except;
      for (int j = 0; j < found; j++) {
        taken |= chosen[j] == candidate;
      }
      if (!taken) {
        chosen[found++] = candidate;
      }
    }
    return Arrays.copyOf(chosen, found);
  }
}
