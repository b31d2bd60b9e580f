package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyState;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = 1_000_000_000L;

  private final MoveReports reports = new MoveReports();
  private final Progress progress = new Progress();
  private TopologyState state = founded();

  private static TopologyState founded() {
    Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
    List<MemberEntry> founders =
        List.of(
            MemberEntry.of(new Member(1, "%040x".formatted(1), "a", "h1", ports)),
            MemberEntry.of(new Member(2, "%040x".formatted(2), "b", "h2", ports)));
    Founding founding = new Founding(8, founders, List.of(KeyspaceSettings.usual("k")));
    Proposed founds = new Proposed(0, founding.command(new ClusterId(1, 2)));
    return TopologyState.NOTHING.apply(founds).state();
  }

  private void applies(Command command) {
    state = state.apply(new Proposed(0, command)).state();
  }

  private void reports(int member) {
    reports.take(member, LeftReport.nothing(state.epoch()), state);
  }

  @Test
  void aMemberTakesWhatIsDecidedWhenItGoesByTheMembersThereAre() {
    progress.look(state, reports, 0);
    assertFalse(progress.takes(1, reports, 0), "nothing was heard of it");
    reports(1);
    reports(2);
    progress.look(state, reports, 0);
    assertTrue(progress.takes(1, reports, 0));
    applies(new Command.SetWeight(2, 50));
    progress.look(state, reports, 0);
    assertFalse(progress.takes(1, reports, 0), "it may not be able to adopt the new weight");
    reports(1);
    progress.look(state, reports, 0);
    assertTrue(progress.takes(1, reports, 0));
    assertFalse(progress.takes(2, reports, 0));
    reports(2);
    applies(new Command.HoldMoves(true));
    progress.look(state, reports, 0);
    assertTrue(progress.takes(2, reports, 0), "it has a moment to adopt what is no plan");
    progress.look(state, reports, 2 * SECOND);
    assertFalse(progress.takes(2, reports, 2 * SECOND));
  }

  @Test
  void whoGoesOnIsNotStuck() {
    reports(1);
    reports(2);
    for (int i = 0; i < 10; i++) {
      applies(new Command.HoldMoves(i % 2 == 0));
      progress.look(state, reports, i * SECOND);
      reports(1);
    }
    progress.look(state, reports, 10 * SECOND);
    assertFalse(progress.isStuck(1, 5 * SECOND, 10 * SECOND));
    assertTrue(progress.isStuck(2, 5 * SECOND, 10 * SECOND));
    reports(2);
    progress.look(state, reports, 11 * SECOND);
    assertFalse(progress.isStuck(2, 5 * SECOND, 11 * SECOND));
  }
}
