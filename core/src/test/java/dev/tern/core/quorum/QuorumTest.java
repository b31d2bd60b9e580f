package dev.tern.core.quorum;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.quorum.Quorum.Outcome;
import dev.tern.core.topology.ReplicaSet;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The tables of `src/test/resources/quorum`, in the manner of etcd-io/raft's quorum package, and
/// what always holds of small quorums, by trying all votes.
///
/// A table's lines are `needs | lists | votes | outcome`. Needs: votes, and `p` or `n` with a
/// number for primaries and near ones. Lists: places as digits, `old+new` where there are two.
/// Votes, place by place: `y` yes, `Y` yes by a stand-in, `o` open, `O` open at a stand-in, `-`
/// neither. A place in capitals in a list (`A` for 0) is near.
class QuorumTest {
  private record Line(String text, Quorum quorum, String votes, Outcome outcome) {}

  @Test
  void tablesHold() throws IOException {
    int lines = 0;
    for (String name : List.of("majority", "counts", "joint")) {
      for (Line line : lines(name)) {
        assertEquals(line.outcome(), outcome(line.quorum(), line.votes()), line.text());
        lines++;
      }
    }
    assertTrue(lines > 60, "tables with " + lines + " lines");
  }

  private static List<Line> lines(String name) throws IOException {
    List<Line> lines = new ArrayList<>();
    try (InputStream in = QuorumTest.class.getResourceAsStream("/quorum/" + name + ".txt")) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      for (String line : text.lines().toList()) {
        if (!line.isBlank() && !line.startsWith("#")) {
          String[] parts = line.split("\\|");
          lines.add(
              new Line(
                  name + ": " + line,
                  quorum(parts[0].trim(), parts[1].trim()),
                  parts[2].trim(),
                  Outcome.valueOf(parts[3].trim())));
        }
      }
    }
    return lines;
  }

  private static Quorum quorum(String needs, String lists) {
    int needed = 0;
    int primaries = 0;
    int near = 0;
    for (String need : needs.split(" ")) {
      switch (need.charAt(0)) {
        case 'p' -> primaries = Integer.parseInt(need.substring(1));
        case 'n' -> near = Integer.parseInt(need.substring(1));
        default -> needed = Integer.parseInt(need);
      }
    }
    String[] both = lists.split("\\+");
    return Quorum.joint(
        places(both[0]), places(both[both.length - 1]), needed, primaries, near, near(lists));
  }

  private static long places(String list) {
    long places = 0;
    for (int i = 0; i < list.length(); i++) {
      char each = list.charAt(i);
      places |= Quorum.bit(Character.isDigit(each) ? each - '0' : each - 'A');
    }
    return places;
  }

  private static long near(String lists) {
    return places(lists.replaceAll("[^A-Z]", ""));
  }

  private static Outcome outcome(Quorum quorum, String votes) {
    long yes = 0;
    long open = 0;
    long standIns = 0;
    for (int place = 0; place < votes.length(); place++) {
      char vote = votes.charAt(place);
      long bit = Quorum.bit(place);
      yes |= vote == 'y' || vote == 'Y' ? bit : 0;
      open |= vote == 'o' || vote == 'O' ? bit : 0;
      standIns |= Character.isUpperCase(vote) ? bit : 0;
    }
    return quorum.outcome(yes, open, standIns);
  }

  /// All votes of four places: yes, open, neither, each by the replica or by a stand-in.
  private interface Votes {
    void votes(long yes, long open, long standIns);
  }

  private static void forAllVotes(Votes told) {
    int places = 4;
    for (long yes = 0; yes < 1 << places; yes++) {
      for (long open = 0; open < 1 << places; open++) {
        for (long standIns = 0; (yes & open) == 0 && standIns < 1 << places; standIns++) {
          told.votes(yes, open, standIns);
        }
      }
    }
  }

  private static List<Quorum> quorums() {
    List<Quorum> quorums = new ArrayList<>();
    for (int needed = 0; needed <= 4; needed++) {
      for (int primaries = 0; primaries <= needed; primaries++) {
        for (int near = 0; near <= Math.min(2, needed); near++) {
          quorums.add(Quorum.joint(0b0111, 0b0111, needed, primaries, near, 0b0011));
          quorums.add(Quorum.joint(0b0111, 0b1110, needed, primaries, near, 0b0011));
        }
      }
    }
    return quorums;
  }

  @Test
  void whatIsOpenSettlesOneWayOrTheOther() {
    for (Quorum quorum : quorums()) {
      forAllVotes(
          (yes, open, standIns) -> {
            Outcome outcome = quorum.outcome(yes, open, standIns);
            Outcome best = quorum.outcome(yes | open, 0, standIns);
            Outcome worst = quorum.outcome(yes, 0, standIns);
            assertEquals(outcome == Outcome.MET, worst == Outcome.MET, quorum.toString());
            assertEquals(outcome == Outcome.LOST, best == Outcome.LOST, quorum.toString());
            assertFalse(best == Outcome.OPEN || worst == Outcome.OPEN, quorum.toString());
          });
    }
  }

  @Test
  void twoListsAreAsGoodAsTheWorseOfThem() {
    for (int needed = 1; needed <= 3; needed++) {
      Quorum joint = Quorum.joint(0b0111, 0b1110, needed, 1, 0, 0);
      Quorum old = Quorum.joint(0b0111, 0b0111, needed, 1, 0, 0);
      Quorum next = Quorum.joint(0b1110, 0b1110, needed, 1, 0, 0);
      forAllVotes(
          (yes, open, standIns) -> {
            Outcome one = old.outcome(yes, open, standIns);
            Outcome other = next.outcome(yes, open, standIns);
            Outcome worse = one.compareTo(other) > 0 ? one : other;
            assertEquals(worse, joint.outcome(yes, open, standIns));
          });
    }
  }

  @Test
  void theHoldersOfARecordMeetEveryLaterRead() {
    for (int n = 1; n <= 7; n++) {
      int[] members = new int[n];
      java.util.Arrays.setAll(members, place -> place + 1);
      ReplicaSet replicas = ReplicaSet.stable(members);
      for (int r = 1; r <= n; r++) {
        Quorum holders = Quorum.meetingReads(replicas, r);
        int needed = holders.needed();
        for (long held = 0; held < 1L << n; held++) {
          boolean met = holders.outcome(held, 0, 0) == Outcome.MET;
          assertEquals(Long.bitCount(held) >= needed, met);
          int lacking = n - Long.bitCount(held);
          // A read of r replicas, or of most, that finds only such as lack it.
          assertFalse(met && (lacking >= r || lacking >= n / 2 + 1), "n=" + n + " r=" + r);
        }
      }
    }
  }
}
