package dev.tern.core.gossip;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is to be passed on: the latest claim about each member, those sent least often first. A
/// claim leaves when it was sent [GossipBounds#transmits] times, or a later one takes its place.
final class RumourQueue {
  private static final class Entry {
    final Rumour rumour;
    int sent;

    Entry(Rumour rumour) {
      this.rumour = rumour;
    }
  }

  /// By member: so there are at most as many claims as members.
  private @Nullable Entry[] latest = new Entry[8];

  /// How many there are in [#latest].
  private int size;

  /// `bySent.get(k)` holds what was sent k times; entries that are not in [#latest] any more are
  /// dropped when met.
  private final List<ArrayDeque<Entry>> bySent = new ArrayList<>();

  /// What went into the packet being filled; empty between packets.
  private final ArrayList<Entry> written = new ArrayList<>();

  boolean isEmpty() {
    return size == 0;
  }

  void clear() {
    Arrays.fill(latest, null);
    bySent.clear();
    size = 0;
  }

  void add(Rumour rumour) {
    int number = rumour.number();
    if (number >= latest.length) {
      latest = Arrays.copyOf(latest, Math.max(number + 1, 2 * latest.length));
    }
    if (latest[number] == null) {
      size++;
    }
    Entry entry = new Entry(rumour);
    latest[number] = entry;
    sent(0).addLast(entry);
  }

  /// Puts into a packet what there is room for.
  void fill(PacketWriter packet, int transmits) {
    if (size == 0) {
      bySent.forEach(ArrayDeque::clear);
      return;
    }
    boolean room = true;
    for (int i = 0; i < bySent.size() && room; i++) {
      ArrayDeque<Entry> entries = bySent.get(i);
      while (room && !entries.isEmpty()) {
        Entry entry = entries.removeFirst();
        if (latest[entry.rumour.number()] != entry) {
          continue;
        }
        room = packet.add(entry.rumour);
        if (room) {
          written.add(entry);
        } else {
          entries.addFirst(entry);
        }
      }
    }
    for (Entry entry : written) {
      entry.sent++;
      if (entry.sent < transmits) {
        sent(entry.sent).addLast(entry);
      } else {
        assert latest[entry.rumour.number()] == entry : "a claim left that a later one replaced";
        latest[entry.rumour.number()] = null;
        size--;
      }
    }
    assert size >= 0 && size <= latest.length;
    written.clear();
  }

  private ArrayDeque<Entry> sent(int times) {
    while (bySent.size() <= times) {
      bySent.add(new ArrayDeque<>());
    }
    return bySent.get(times);
  }
}
