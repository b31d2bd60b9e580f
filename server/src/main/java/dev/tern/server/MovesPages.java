package dev.tern.server;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.Decision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/// Moves of replicas, as an operator sees and stops them.
final class MovesPages {
  private final Node node;
  private final JsonMapper json = JsonMapper.builder().build();

  MovesPages(Node node) {
    this.node = node;
  }

  // ---- what is under way

  /// The moves under way, and how many are to come.
  static ObjectNode moves(TopologyState state) {
    ObjectNode body = JsonMapper.builder().build().createObjectNode();
    body.put("epoch", state.epoch());
    body.put("held", state.movesHeld());
    int[] phases = new int[Phase.values().length];
    ArrayNode underWay = body.putArray("underWay");
    int toCome = 0;
    for (ReplicaGroups groups : state.groups()) {
      int[][] wanted = state.plan(groups).lists();
      for (int p = 0; p < state.partitions(); p++) {
        Phase phase = groups.replicaSet(p).phase();
        phases[phase.ordinal()]++;
        if (phase == Phase.STABLE) {
          toCome += Arrays.equals(wanted[p], groups.lists().list(p)) ? 0 : 1;
        } else {
          ObjectNode row = underWay.addObject().put("set", groups.number()).put("partition", p);
          row.put("phase", phase.name().toLowerCase(Locale.ROOT));
          row.put("returns", groups.returns(p)).put("epoch", groups.epoch(p));
          Arrays.stream(groups.lists().list(p)).forEach(row.putArray("from")::add);
          Arrays.stream(groups.targets().list(p)).forEach(row.putArray("to")::add);
        }
      }
    }
    for (Phase phase : Phase.values()) {
      body.put(phase.name().toLowerCase(Locale.ROOT), phases[phase.ordinal()]);
    }
    return body.put("toCome", toCome);
  }

  // ---- cancel

  /// Holds moves, then cancels each that is not fenced.
  ///
  /// @param done told the outcome of the hold if it failed, else of the last command
  void cancel(Consumer<Decision> done, Consumer<ObjectNode> cancelled) {
    node.propose(
        new Proposed(0, new Command.HoldMoves(true)),
        held -> {
          boolean holds =
              held instanceof Decision.Decided decided
                  && !(decided.outcome() instanceof TopologyOutcome.Refused);
          if (holds) {
            cancel(commands(node.view().state()), 0, done, cancelled);
          } else {
            done.accept(held);
          }
        });
  }

  /// One command after the other. A step that came too late is passed over.
  private void cancel(
      List<Moves> commands, int next, Consumer<Decision> done, Consumer<ObjectNode> cancelled) {
    if (next == commands.size()) {
      TopologyState state = node.view().state();
      cancelled.accept(
          json.createObjectNode()
              .put("outcome", commands.isEmpty() ? "unchanged" : "changed")
              .put("epoch", state.epoch())
              .put("cancelled", commands.stream().mapToInt(each -> each.steps().size()).sum())
              .put("fenced", moves(state).path("fenced").asInt()));
      return;
    }
    node.propose(
        new Proposed(0, commands.get(next)),
        decision -> {
          if (decision instanceof Decision.Decided) {
            cancel(commands, next + 1, done, cancelled);
          } else {
            done.accept(decision);
          }
        });
  }

  /// The commands that cancel what may be cancelled.
  static List<Moves> commands(TopologyState state) {
    List<Moves> commands = new ArrayList<>();
    for (ReplicaGroups groups : state.groups()) {
      List<Step> steps = new ArrayList<>();
      for (int p = 0; p < state.partitions(); p++) {
        Phase phase = groups.replicaSet(p).phase();
        boolean may = phase == Phase.FILLING || phase == Phase.SWITCHED;
        // What goes back already waits for its members, and goes on by itself.
        if (may && !groups.returns(p)) {
          steps.add(Step.of(p, groups.epoch(p), Kind.CANCEL));
        }
      }
      for (int from = 0; from < steps.size(); from += Moves.MAX_STEPS) {
        int to = Math.min(from + Moves.MAX_STEPS, steps.size());
        commands.add(new Moves(groups.number(), steps.subList(from, to)));
      }
    }
    return commands;
  }
}
