package dev.tern.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyState;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What an operator sees of moves, and which of them a cancel takes back.
class MovesPagesTest {
  private static Member member(int number) {
    Member.Ports ports = Member.Ports.NONE.with("internode", number).with("redis", 9);
    return new Member(number, "%040x".formatted(number), "z" + number, "one", ports);
  }

  private static TopologyState applied(TopologyState state, Command command) {
    TopologyState.Step step = state.apply(new Proposed(0, command));
    assertFalse(step.state() == state, step.outcome()::toString);
    return step.state();
  }

  /// Partitions 0 to 4 in each stage of a move to member 4.
  static TopologyState moving() {
    List<MemberEntry> founders = new ArrayList<>();
    for (int number = 1; number <= 3; number++) {
      founders.add(MemberEntry.of(member(number)));
    }
    Founding founding = new Founding(8, founders, List.of(KeyspaceSettings.usual("a")));
    TopologyState state = applied(TopologyState.NOTHING, founding.command(new ClusterId(1, 2)));
    state = applied(state, new Command.AdmitMember(member(4), 100));
    List<List<Kind>> walks =
        List.of(
            List.of(Kind.BEGIN),
            List.of(Kind.BEGIN, Kind.SWITCH),
            List.of(Kind.BEGIN, Kind.SWITCH, Kind.FENCE),
            List.of(Kind.BEGIN, Kind.SWITCH, Kind.FENCE, Kind.FINISH),
            List.of(Kind.BEGIN, Kind.SWITCH, Kind.CANCEL));
    for (int p = 0; p < walks.size(); p++) {
      for (Kind kind : walks.get(p)) {
        List<Integer> list = kind == Kind.BEGIN ? List.of(4, 1, 2) : List.of();
        long at = state.groups().getFirst().epoch(p);
        state = applied(state, new Moves(1, List.of(new Step(p, at, kind, list))));
      }
    }
    return state;
  }

  @Test
  void movesAreShownByTheirPhases() {
    TopologyState state = applied(moving(), new Command.HoldMoves(true));
    JsonNode page = MovesPages.moves(state);
    assertEquals(state.epoch(), page.path("epoch").asLong());
    assertTrue(page.path("held").asBoolean());
    assertEquals(2, page.path("filling").asInt());
    assertEquals(1, page.path("switched").asInt());
    assertEquals(1, page.path("fenced").asInt());
    assertEquals(4, page.path("stable").asInt());
    assertEquals(4, page.path("underWay").size());
    JsonNode first = page.path("underWay").get(0);
    assertEquals("filling", first.path("phase").asText());
    assertEquals("[4,1,2]", first.path("to").toString());
    assertEquals("[1,2,3]", first.path("from").toString());
    assertTrue(page.path("underWay").get(3).path("returns").asBoolean());
    assertTrue(page.path("toCome").asInt() > 0);
  }

  @Test
  void whatIsNotFencedIsCancelled() {
    TopologyState state = moving();
    List<Moves> commands = MovesPages.commands(state);
    assertEquals(1, commands.size());
    assertEquals(List.of(0, 1), commands.getFirst().steps().stream().map(Step::partition).toList());
    TopologyState after = applied(state, commands.getFirst());
    assertEquals(List.of(), MovesPages.commands(after));
    assertEquals(1, MovesPages.moves(after).path("fenced").asInt());
  }
}
