package dev.tern.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.gossip.Load;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.node.Node;
import dev.tern.core.repair.Repairs;
import dev.tern.core.ring.Plan;
import dev.tern.core.topology.KeyspaceDefinition;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.LeftReport;
import dev.tern.core.topology.log.TopologyLog;
import dev.tern.core.version.ClusterTime;
import dev.tern.gateway.http.AdminDoor;
import dev.tern.gateway.http.AdminDoor.Page;
import dev.tern.gateway.http.AdminDoor.Request;
import dev.tern.runtime.EventLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What the node knows of the cluster, as JSON pages.
final class Status {
  private final Node node;
  private final EventLog events;
  private final MoveProgress progress;
  private final JsonMapper json = JsonMapper.builder().build();

  Status(Node node, EventLog events, MoveProgress progress) {
    this.node = node;
    this.events = events;
    this.progress = progress;
  }

  void addTo(Map<String, AdminDoor.Route> routes) {
    routes.put("/health", AdminDoor.Route.page(request -> health()));
    routes.put("/cluster", page(request -> cluster()));
    routes.put("/cluster/zones", page(request -> zones()));
    routes.put("/cluster/plan", page(this::plan));
    routes.put("/cluster/moves", page(request -> moves()));
    routes.put("/keyspaces", new AdminDoor.Route("GET", (request, done) -> counted(done)));
    routes.put("/events", page(this::events));
  }

  /// The last events, oldest first; with `?after=N` those whose number is above N.
  private JsonNode events(Request request) {
    List<String> after = request.parameters().getOrDefault("after", List.of("0"));
    ArrayNode page = json.createArrayNode();
    long number;
    try {
      number = Long.parseLong(after.getFirst());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("after is the number of an event, not " + after, e);
    }
    for (EventLog.Entry entry : events.after(number)) {
      page.addObject()
          .put("number", entry.number())
          .put("at", entry.at().toString())
          .put("kind", entry.event().kind())
          .put("severity", word(entry.event().severity()))
          .put("text", entry.event().text());
    }
    return page;
  }

  private AdminDoor.Route page(Function<Request, JsonNode> body) {
    return AdminDoor.Route.page(
        request -> new Page(200, "application/json", body.apply(request).toPrettyString() + "\n"));
  }

  /// A constant as people write it.
  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private Page health() {
    List<Member> members = node.view().members();
    long live = members.stream().filter(member -> node.live(member.number())).count();
    KeyspaceDefinition redis = node.view().state().keyspace(TernServer.REDIS_KEYSPACE);
    int w = redis == null ? 1 : redis.settings().w();
    boolean quorum = live >= Math.min(w, members.size());
    ObjectNode body = json.createObjectNode();
    body.put("status", quorum ? "ok" : "no quorum");
    body.put("node", node.self().name());
    body.put("epoch", node.view().epoch());
    body.put("members", members.size());
    body.put("live", live);
    body.put("partitionsBehind", node.partitionsBehind());
    body.put("fullDisk", node.fullDisk());
    ClusterTime.Clocks clocks = node.time().clocks();
    body.put("clocksSpreadSeconds", clocks.spreadMillis() / 1e3);
    body.put("timeSet", clocks.set());
    return new Page(quorum ? 200 : 503, "application/json", body.toPrettyString() + "\n");
  }

  private ObjectNode cluster() {
    ObjectNode body = json.createObjectNode();
    TopologyState state = node.view().state();
    body.put("cluster", state.cluster().known() ? state.cluster().toString() : null);
    body.put("epoch", state.epoch()).put("partitions", state.partitions());
    body.put("level", state.level()).put("nextMember", state.nextMember());
    log(state, body.putObject("log"));
    Repairs repairs = node.repairs();
    body.putObject("repair")
        .put("partitions", repairs.partitions())
        .put("lacking", repairs.lacking())
        .put("rebuilding", repairs.rebuilding())
        .put("behind", node.partitionsBehind())
        .put("heldForOthers", node.heldHints())
        .put("left", node.left().count())
        .put("leftUnreadable", node.left().unreadable().cardinality());
    redundancy(state, body.putObject("redundancy"));
    body.set("keyspaces", keyspaces());
    ArrayNode members = body.putArray("members");
    Holdings holdings = Holdings.of(state);
    for (MemberEntry entry : state.members()) {
      member(state, entry, holdings, members.addObject());
    }
    return body;
  }

  private void redundancy(TopologyState state, ObjectNode body) {
    Redundancy redundancy = Redundancy.of(state, node::live);
    body.put("partitions", redundancy.partitions()).put("fewer", redundancy.fewer());
    body.put("minority", redundancy.minority()).put("none", redundancy.none());
    int incomplete =
        state.members().stream()
            .filter(member -> node.live(member.number()))
            .mapToInt(member -> node.load(member.number()).incomplete())
            .sum();
    MoveProgress.Figures moves = progress.figures();
    body.put("catchingUp", incomplete).put("replicasToMove", moves.remaining());
    if (moves.secondsLeft() != null) {
      body.put("secondsLeft", moves.secondsLeft());
    }
  }

  /// The moves under way and how far they are; bytes are estimates, from what lies here.
  private ObjectNode moves() {
    TopologyState state = node.view().state();
    ObjectNode body = MovesPages.moves(state);
    MoveProgress.Figures moves = progress.figures();
    long bytes = replicaBytes(state);
    body.put("replicasMoved", moves.moved()).put("replicasToMove", moves.remaining());
    body.put("bytesMoved", moves.moved() * bytes).put("bytesToMove", moves.remaining() * bytes);
    body.put("bytesASecond", Math.round(moves.aSecond() * bytes));
    if (moves.secondsLeft() != null) {
      body.put("secondsLeft", moves.secondsLeft());
    }
    return body;
  }

  private void log(TopologyState state, ObjectNode body) {
    TopologyLog.Status log = node.topologyLog();
    List<Integer> voters = state.voters();
    long live = voters.stream().filter(node::live).count();
    boolean votes = voters.contains(node.self().number());
    boolean frozen = 2 * live <= voters.size() || votes && log.leader() == 0;
    body.put("leader", log.leader()).put("term", log.term()).put("role", word(log.role()));
    voters.forEach(body.putArray("voters")::add);
    body.put("votersLive", live);
    body.put("frozen", frozen);
    if (frozen) {
      body.put(
          "why",
          "the topology log has no leader or no quorum (%d of %d voters live): the topology"
                  .formatted(live, voters.size())
              + " cannot be changed; reads and writes go on where enough replicas live");
    }
    if (log.forgetful()) {
      body.put("forgetful", true);
    }
    if (log.failed() != null) {
      body.put("failed", log.failed());
    }
    ObjectNode strangers = body.putObject("strangers");
    log.strangers().forEach((number, why) -> strangers.put(number.toString(), why));
  }

  /// By member number: how many replicas it holds, and of how many partitions it is the first.
  private record Holdings(int[] held, int[] led) {
    static Holdings of(TopologyState state) {
      int numbers = state.nextMember();
      Holdings holdings = new Holdings(new int[numbers], new int[numbers]);
      for (ReplicaGroups groups : state.groups()) {
        for (int p = 0; p < state.partitions(); p++) {
          int[] list = groups.lists().list(p);
          holdings.led[list[0]]++;
          for (int number : list) {
            holdings.held[number]++;
          }
        }
      }
      return holdings;
    }
  }

  private void member(TopologyState state, MemberEntry entry, Holdings holdings, ObjectNode body) {
    Member member = entry.member();
    body.put("number", member.number()).put("name", member.name()).put("zone", member.zone());
    body.put("weight", entry.weight()).put("leaving", entry.leaving());
    body.put("away", entry.away());
    body.put("host", member.host()).put("internode", member.ports().internode());
    ServerConfig.DOORS.forEach(door -> body.put(door, member.ports().of(door)));
    body.put("live", node.live(member.number()));
    for (ClusterTime.Difference each : node.time().clocks().members()) {
      if (each.member() == member.number()) {
        body.put("clockAheadSeconds", each.millis() / 1e3);
      }
    }
    Load load = node.load(member.number());
    body.put("diskUsedMebibytes", load.diskUsedMebibytes());
    body.put("diskMebibytes", load.diskMebibytes());
    body.put("catchingUp", load.incomplete());
    body.put("self", member.number() == node.self().number());
    body.put("votes", state.voters().contains(member.number()));
    body.put("leads", node.topologyLog().leader() == member.number());
    body.put("partitionsHeld", holdings.held[member.number()]);
    body.put("partitionsLed", holdings.led[member.number()]);
    LeftReport left = left(member.number());
    if (left != null && left.count() > 0) {
      body.put("left", left.count()).put("leftUnreadable", left.unreadable().cardinality());
    }
  }

  /// What a member has left and not handed on, as far as this node knows it: of itself, and of all
  /// where it leads the topology log.
  private @Nullable LeftReport left(int member) {
    boolean own = member == node.self().number();
    return own ? node.left() : node.topologyLog().left().get(member);
  }

  private ArrayNode zones() {
    TreeMap<String, ObjectNode> zones = new TreeMap<>();
    for (JsonNode member : cluster().path("members")) {
      ObjectNode zone =
          zones.computeIfAbsent(
              member.path("zone").asText(), name -> json.createObjectNode().put("zone", name));
      add(zone, "members", 1);
      add(zone, "live", member.path("live").asBoolean() ? 1 : 0);
      add(zone, "weight", member.path("weight").asInt());
      add(zone, "voters", member.path("votes").asBoolean() ? 1 : 0);
      add(zone, "partitionsHeld", member.path("partitionsHeld").asInt());
      add(zone, "partitionsLed", member.path("partitionsLed").asInt());
    }
    ArrayNode body = json.createArrayNode();
    zones.values().forEach(body::add);
    return body;
  }

  private static void add(ObjectNode to, String field, int more) {
    to.put(field, to.path(field).asInt() + more);
  }

  private static <T> void put(
      ObjectNode entry, KeyspaceSettings settings, KeyspaceProperty<T> property) {
    Object told = property.told(settings.get(property));
    if (told instanceof Long number) {
      entry.put(property.name(), number);
    } else {
      entry.put(property.name(), String.valueOf(told));
    }
  }

  /// The keyspaces, each with what it holds in all.
  private void counted(Consumer<Page> done) {
    node.counts(
        counts -> {
          ArrayNode body = keyspaces();
          for (JsonNode entry : body) {
            count((ObjectNode) entry, counts.get(entry.path("id").asInt()));
          }
          done.accept(new Page(200, "application/json", body.toPrettyString() + "\n"));
        });
  }

  private static void count(ObjectNode entry, @Nullable CountOutcome outcome) {
    switch (outcome) {
      case CountOutcome.Count count ->
          entry
              .put("keys", count.keys())
              .put("expiringKeys", count.expiring())
              .put("bytes", count.bytes());
      case Unanswered.Refused refused -> entry.put("notCounted", refused.message());
      case Unanswered.Unknown unknown -> entry.put("notCounted", unknown.message());
      case null -> entry.put("notCounted", "it was made just now");
    }
  }

  private ArrayNode keyspaces() {
    ArrayNode body = json.createArrayNode();
    for (KeyspaceDefinition keyspace : node.view().state().keyspaces()) {
      KeyspaceSettings settings = keyspace.settings();
      ObjectNode entry = body.addObject();
      entry.put("id", keyspace.id()).put("name", settings.name());
      KeyspaceProperty.ALL.forEach(property -> put(entry, settings, property));
    }
    return body;
  }

  // ---- the plan

  /// Where replicas would go if all moved to where members, zones and weights want them; `add`,
  /// `remove`, `weight` and `zone` ask what if.
  private JsonNode plan(Request request) {
    TopologyState state = supposed(node.view().state(), request.parameters());
    long replicaBytes = replicaBytes(node.view().state());
    ObjectNode body = json.createObjectNode();
    body.put("epoch", state.epoch()).put("bytesAReplica", replicaBytes);
    ArrayNode policies = body.putArray("policies");
    for (ReplicaGroups groups : state.groups()) {
      Plan plan = state.plan(groups);
      ObjectNode entry = policies.addObject();
      entry.put("n", groups.policy().n()).put("zones", word(groups.policy().zones()));
      ArrayNode keyspaces = entry.putArray("keyspaces");
      for (KeyspaceDefinition keyspace : state.keyspaces()) {
        if (keyspace.settings().policy().equals(groups.policy())) {
          keyspaces.add(keyspace.name());
        }
      }
      entry.put("moves", plan.moves().size()).put("leastMoves", plan.leastMoves());
      entry.put("bytesToMove", plan.moves().size() * replicaBytes);
      ArrayNode members = entry.putArray("members");
      for (Plan.Line line : plan.members()) {
        MemberEntry member = state.member(line.number());
        ObjectNode row = members.addObject().put("number", line.number());
        row.put("zone", member == null ? "" : member.zone());
        row.put("before", line.before()).put("after", line.after());
        row.put("in", line.in()).put("out", line.out());
        row.put("ledBefore", line.ledBefore()).put("ledAfter", line.ledAfter());
        row.put("bytesIn", line.in() * replicaBytes).put("bytesOut", line.out() * replicaBytes);
      }
      ArrayNode moves = entry.putArray("list");
      for (Plan.Move move : plan.moves()) {
        ObjectNode row = moves.addObject().put("partition", move.partition());
        row.put("from", move.from()).put("to", move.to());
      }
    }
    return body;
  }

  /// What one replica of a partition weighs, from what lies here: an estimate.
  private long replicaBytes(TopologyState state) {
    int held = Holdings.of(state).held[node.self().number()];
    return held == 0 ? 0 : node.storedBytes() / held;
  }

  private static TopologyState supposed(TopologyState state, Map<String, List<String>> what) {
    List<MemberEntry> members = new ArrayList<>(state.members());
    int next = state.nextMember();
    for (String added : what.getOrDefault("add", List.of())) {
      String[] parts = added.split(":", 2);
      int weight = parts.length > 1 ? weight(parts[1]) : MemberEntry.USUAL_WEIGHT;
      String zone = Member.checkedZone(parts[0]);
      Member member = new Member(next, ServerConfig.name(next), zone, "new", Member.Ports.NONE);
      members.add(new MemberEntry(member, weight, /* leaving= */ false));
      next++;
    }
    for (String removed : what.getOrDefault("remove", List.of())) {
      change(members, number(removed), MemberEntry::thatLeaves);
    }
    for (String weight : what.getOrDefault("weight", List.of())) {
      String[] parts = pair(weight);
      int to = weight(parts[1]);
      change(members, number(parts[0]), e -> e.weighing(to));
    }
    for (String zone : what.getOrDefault("zone", List.of())) {
      String[] parts = pair(zone);
      String to = Member.checkedZone(parts[1]);
      change(members, number(parts[0]), e -> e.standingIn(to));
    }
    return state.suppose(members);
  }

  private static int weight(String text) {
    return MemberEntry.checkedWeight(number(text));
  }

  private static void change(
      List<MemberEntry> members, int number, Function<MemberEntry, MemberEntry> to) {
    if (members.stream().noneMatch(member -> member.number() == number)) {
      throw new IllegalArgumentException("there is no member " + number);
    }
    members.replaceAll(member -> member.number() == number ? to.apply(member) : member);
  }

  private static String[] pair(String text) {
    String[] parts = text.split("[:=]", 2);
    if (parts.length != 2) {
      throw new IllegalArgumentException("MEMBER:VALUE is wanted, not " + text);
    }
    return parts;
  }

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("a whole number is wanted, not " + text, e);
    }
  }
}
