package dev.tern.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.KeyspaceDefinition;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.Decision;
import dev.tern.core.topology.log.Levels;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import dev.tern.gateway.http.AdminDoor;
import dev.tern.gateway.http.AdminDoor.Page;
import dev.tern.gateway.http.AdminDoor.Request;
import dev.tern.lsm.CompactionStyle;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What changes the topology over HTTP: each action is one command in the topology log. A body is a
/// JSON object; `epoch` in it makes the command hold at that epoch only. The answer is `200` with
/// the epoch, `400` for a body that makes no sense, `409` with the reason of a refusal, `503` if
/// nothing was proposed, `504` if nobody knows.
final class Administration {
  /// How often a command is made anew when something else was decided at the same time.
  private static final int ATTEMPTS = 5;

  private final Node node;

  /// Requests come on any thread of the doors: guarded by this object.
  private final Randomness random;

  private final JsonMapper json = JsonMapper.builder().build();

  /// @param random for this use only
  Administration(Node node, Randomness random) {
    this.node = node;
    this.random = random;
  }

  private synchronized KeyHash mintHash() {
    return KeyHash.mint(random);
  }

  void addTo(Map<String, AdminDoor.Route> routes) {
    routes.put("/cluster/join", action(this::join));
    routes.put("/cluster/remove", derived(Administration::remove));
    routes.put("/cluster/leave", derived(Administration::leave));
    routes.put("/cluster/weight", derived(Administration::weight));
    routes.put("/cluster/zone", derived(Administration::zone));
    routes.put("/cluster/replace", action(this::replace));
    routes.put("/cluster/pause", command(body -> new Command.HoldMoves(true)));
    routes.put("/cluster/resume", command(body -> new Command.HoldMoves(false)));
    routes.put("/cluster/cancel", action((body, done) -> cancel(done)));
    routes.put("/keyspace/create", derived(this::create));
    routes.put("/keyspace/alter", derived(this::alter));
    routes.put("/keyspace/drop", command(this::drop));
  }

  /// A dead member counts as away at once: others get its replicas.
  private void replace(JsonNode body, Consumer<Page> done) {
    int number = integer(body, "number", null);
    if (node.live(number)) {
      done.accept(refused("member %d is alive: remove it, or let it weigh 0".formatted(number)));
      return;
    }
    node.propose(
        new Proposed(body.path("epoch").asLong(), new Command.SetAway(number, true)),
        decision -> done.accept(page(decision)));
  }

  private AdminDoor.Route action(BiConsumer<JsonNode, Consumer<Page>> action) {
    return new AdminDoor.Route("POST", (request, done) -> action.accept(body(request), done));
  }

  private AdminDoor.Route command(Function<JsonNode, Command> command) {
    return action(
        (body, done) ->
            node.propose(
                new Proposed(body.path("epoch").asLong(), command.apply(body)),
                decision -> done.accept(page(decision))));
  }

  /// An action whose command follows from the topology: it is made of what the log last decided,
  /// and anew if something else was decided meanwhile.
  private AdminDoor.Route derived(BiFunction<TopologyState, JsonNode, Command> command) {
    return action((body, done) -> derive(command, body, 1, done));
  }

  private void derive(
      BiFunction<TopologyState, JsonNode, Command> command,
      JsonNode body,
      int attempt,
      Consumer<Page> done) {
    // Changes nothing, and its answer comes when this node goes by all that was decided before.
    node.propose(
        new Proposed(0, new Command.RaiseLevel(1)),
        barrier -> {
          if (!(barrier instanceof Decision.Decided)) {
            done.accept(page(barrier));
            return;
          }
          TopologyState state = node.view().state();
          Proposed proposed;
          try {
            long epoch = body.path("epoch").asLong(state.epoch());
            proposed = new Proposed(epoch, command.apply(state, body));
          } catch (RefusedChangeException e) {
            done.accept(refused(e.why));
            return;
          } catch (IllegalArgumentException e) {
            done.accept(Page.invalid(e));
            return;
          }
          node.propose(
              proposed,
              decision -> {
                if (stale(decision) && attempt < ATTEMPTS && !body.has("epoch")) {
                  derive(command, body, attempt + 1, done);
                } else {
                  done.accept(page(decision));
                }
              });
        });
  }

  private static boolean stale(Decision decision) {
    return decision instanceof Decision.Decided decided
        && decided.outcome() instanceof TopologyOutcome.Refused refused
        && refused.reason() == TopologyOutcome.Reason.STALE_EPOCH;
  }

  private JsonNode body(Request request) {
    try {
      JsonNode body = json.readTree(request.body());
      if (body.isObject()) {
        return body;
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("the body is no JSON: " + e.getOriginalMessage(), e);
    }
    throw new IllegalArgumentException("the body is a JSON object");
  }

  private Page page(Decision decision) {
    ObjectNode body = json.createObjectNode();
    int status =
        switch (decision) {
          case Decision.Decided decided ->
              switch (decided.outcome()) {
                case TopologyOutcome.Changed changed -> {
                  body.put("outcome", "changed").put("epoch", changed.epoch());
                  yield 200;
                }
                case TopologyOutcome.Unchanged unchanged -> {
                  body.put("outcome", "unchanged").put("epoch", unchanged.epoch());
                  yield 200;
                }
                case TopologyOutcome.Refused refused -> {
                  body.put("outcome", "refused").put("reason", refused.reason().name());
                  body.put("error", refused.message());
                  yield 409;
                }
              };
          case Decision.NotProposed not -> {
            body.put("outcome", "not proposed").put("error", not.why());
            yield 503;
          }
          case Decision.Unknown unknown -> {
            body.put("outcome", "unknown").put("error", unknown.why());
            yield 504;
          }
        };
    return new Page(status, "application/json", body + "\n");
  }

  private void cancel(Consumer<Page> done) {
    new MovesPages(node)
        .cancel(
            decision -> done.accept(page(decision)),
            body -> done.accept(new Page(200, "application/json", body + "\n")));
  }

  private Page refused(String why) {
    ObjectNode body = json.createObjectNode().put("outcome", "refused").put("error", why);
    return new Page(409, "application/json", body + "\n");
  }

  // ---- keyspaces

  private Command create(TopologyState state, JsonNode body) {
    KeyspaceSettings settings = settings(KeyspaceSettings.usual(text(body, "name", null)), body);
    if (settings.compaction() == CompactionStyle.FIFO) {
      throw new IllegalArgumentException(
          "FIFO compaction drops keys unseen by replicas: keyspaces that are caches come later");
    }
    return state.create(settings, mintHash());
  }

  private Command alter(TopologyState state, JsonNode body) {
    String name = text(body, "name", null);
    KeyspaceDefinition keyspace = state.keyspace(name);
    if (keyspace == null) {
      throw new IllegalArgumentException("there is no keyspace " + name);
    }
    KeyspaceSettings present = keyspace.settings();
    return new Command.AlterKeyspace(settings(present, body));
  }

  private Command drop(JsonNode body) {
    String name = text(body, "name", null);
    if (name.equals(TernServer.REDIS_KEYSPACE)) {
      throw new IllegalArgumentException("the Redis door serves keyspace " + name + ": it stays");
    }
    return new Command.DropKeyspace(name);
  }

  /// The settings with what the body says in place.
  private static KeyspaceSettings settings(KeyspaceSettings present, JsonNode body) {
    body.fieldNames().forEachRemaining(Administration::expectField);
    KeyspaceSettings settings = present;
    if (body.has(KeyspaceProperty.N.name())) {
      // Who asks for fewer replicas than the usual levels means majorities of them.
      int majority = integer(body, KeyspaceProperty.N.name(), null) / 2 + 1;
      settings = settings.with(KeyspaceProperty.R, majority).with(KeyspaceProperty.W, majority);
    }
    for (KeyspaceProperty<?> property : KeyspaceProperty.ALL) {
      if (body.has(property.name())) {
        settings = with(settings, property, body);
      }
    }
    return settings;
  }

  private static void expectField(String field) {
    boolean known =
        field.equals("name")
            || field.equals("epoch")
            || KeyspaceProperty.ALL.stream().anyMatch(each -> each.name().equals(field));
    if (!known) {
      throw new IllegalArgumentException(
          "a keyspace has no '%s'; it has name, epoch, %s"
              .formatted(
                  field,
                  KeyspaceProperty.ALL.stream()
                      .map(KeyspaceProperty::name)
                      .collect(Collectors.joining(", "))));
    }
  }

  private static <T> KeyspaceSettings with(
      KeyspaceSettings settings, KeyspaceProperty<T> property, JsonNode body) {
    if (property.kind() == KeyspaceProperty.Kind.CHOICE) {
      return settings.with(property, property.of(text(body, property.name(), null)));
    }
    JsonNode value = body.path(property.name());
    if (!value.canConvertToLong() || !value.isIntegralNumber()) {
      throw new IllegalArgumentException("'" + property.name() + "' is a whole number");
    }
    return settings.with(property, property.of(value.asLong()));
  }

  private static int integer(JsonNode body, String field, @Nullable Integer otherwise) {
    JsonNode value = body.path(field);
    if (value.isMissingNode() && otherwise != null) {
      return otherwise;
    }
    if (!value.canConvertToInt() || !value.isIntegralNumber()) {
      throw new IllegalArgumentException("'" + field + "' is a whole number");
    }
    return value.asInt();
  }

  private static String text(JsonNode body, String field, @Nullable String otherwise) {
    JsonNode value = body.path(field);
    if (value.isMissingNode() && otherwise != null) {
      return otherwise;
    }
    if (!value.isTextual()) {
      throw new IllegalArgumentException("'" + field + "' is a string");
    }
    return value.asText();
  }

  // ---- members

  /// A change that makes sense, and that the cluster should not have.
  private static final class RefusedChangeException extends RuntimeException {
    private static final long serialVersionUID = 1;

    final String why;

    RefusedChangeException(String why) {
      super(why);
      this.why = why;
    }
  }

  private static Command leave(TopologyState state, JsonNode body) {
    expectRedundancy(state, body, integer(body, "number", null), MemberEntry::thatLeaves);
    return remove(state, body);
  }

  /// A second command would take a member out that leaves and still hands something on: the leader
  /// of the topology log does that when the member has nothing left.
  private static Command remove(TopologyState state, JsonNode body) {
    int number = integer(body, "number", null);
    MemberEntry member = state.member(number);
    return member != null && member.leaving()
        ? new Command.RaiseLevel(1)
        : new Command.RemoveMember(number);
  }

  private static Command weight(TopologyState state, JsonNode body) {
    int number = integer(body, "number", null);
    int weight = MemberEntry.checkedWeight(integer(body, "weight", null));
    expectRedundancy(state, body, number, member -> member.weighing(weight));
    return new Command.SetWeight(number, weight);
  }

  private static Command zone(TopologyState state, JsonNode body) {
    int number = integer(body, "number", null);
    String zone = Member.checkedZone(text(body, "zone", null));
    expectRedundancy(state, body, number, member -> member.standingIn(zone));
    return new Command.SetZone(number, zone);
  }

  /// Refuses what takes replicas or their zones away, unless the body says `"anyway": true`.
  private static void expectRedundancy(
      TopologyState state, JsonNode body, int number, UnaryOperator<MemberEntry> change) {
    if (body.path("anyway").asBoolean()) {
      return;
    }
    List<MemberEntry> members = new ArrayList<>(state.members());
    members.replaceAll(member -> member.number() == number ? change.apply(member) : member);
    String violated = state.violated(members);
    if (violated != null) {
      throw new RefusedChangeException(violated + "; --anyway does it all the same");
    }
  }

  private void join(JsonNode body, Consumer<Page> done) {
    join(body, 1, done);
  }

  private void join(JsonNode body, int attempt, Consumer<Page> done) {
    TopologyState state = node.view().state();
    String host = text(body, "host", null);
    int internode = integer(body, "internode", null);
    String token = text(body, "token", "");
    if (!token.matches("|[0-9a-f]{16}")) {
      throw new IllegalArgumentException("'token' is 16 hexadecimal digits");
    }
    String stranger = stranger(body, state.level());
    if (stranger != null) {
      done.accept(refused("the node at %s:%d: %s".formatted(host, internode, stranger)));
      return;
    }
    for (MemberEntry entry : state.members()) {
      Member member = entry.member();
      if (member.host().equals(host) && member.ports().internode() == internode) {
        if (sameNewcomer(state, member, token)) {
          done.accept(admitted(state));
        } else {
          rejoin(body, state, entry, token, attempt, done);
        }
        return;
      }
    }
    admit(body, state, token, attempt, done);
  }

  /// A member that has lost its directory comes back with an empty one.
  private void rejoin(
      JsonNode body,
      TopologyState state,
      MemberEntry member,
      String token,
      int attempt,
      Consumer<Page> done) {
    int number = member.number();
    Member.Ports ports = member.member().ports();
    String at =
        "member %d stands at %s:%d and "
            .formatted(number, member.member().host(), ports.internode());
    if (node.live(number)) {
      ObjectNode page = json.createObjectNode().put("outcome", "not proposed");
      page.put("error", at + "is alive: take another address, or wait until it is known as down");
      done.accept(new Page(503, "application/json", page + "\n"));
      return;
    }
    if (member.leaving()) {
      done.accept(refused(at + "is leaving: wait until it is gone, or take another address"));
      return;
    }
    if (token.isEmpty()) {
      done.accept(refused(at + "this node says no token, so it cannot take its place: upgrade it"));
      return;
    }
    if (!ports.equals(ports(body))) {
      done.accept(refused(at + "has the ports %s: start it with these".formatted(ports)));
      return;
    }
    node.propose(
        new Proposed(state.epoch(), new Command.Rejoin(number, ServerConfig.name(number, token))),
        decision -> {
          TopologyState after = node.view().state();
          MemberEntry now = after.member(number);
          if (now != null && sameNewcomer(after, now.member(), token)) {
            done.accept(admitted(after));
          } else if (stale(decision) && attempt < ATTEMPTS && after.epoch() > state.epoch()) {
            join(body, attempt + 1, done);
          } else {
            done.accept(retriable(page(decision)));
          }
        });
  }

  /// Whether the member at a newcomer's address is that newcomer, which asks again as it had no
  /// answer. Another directory has another token, whoever it is at the same address; without tokens
  /// a member that nobody relies on is taken for it.
  static boolean sameNewcomer(TopologyState state, Member member, String token) {
    int number = member.number();
    String tokenless = ServerConfig.name(number);
    return token.isEmpty() || member.name().equals(tokenless)
        ? member.name().equals(tokenless)
            && !state.holds(number)
            && !state.voters().contains(number)
        : member.name().equals(ServerConfig.name(number, token));
  }

  private void admit(
      JsonNode body, TopologyState state, String token, int attempt, Consumer<Page> done) {
    String host = text(body, "host", null);
    int number = state.nextMember();
    String zone = text(body, "zone", "");
    Member member =
        new Member(
            number,
            ServerConfig.name(number, token),
            zone.isEmpty() ? "zone-" + number : Member.checkedZone(zone),
            host,
            ports(body));
    int weight = MemberEntry.checkedWeight(integer(body, "weight", MemberEntry.USUAL_WEIGHT));
    node.propose(
        // Only at this level: the cluster may rise meanwhile.
        new Proposed(state.epoch(), new Command.AdmitMember(member, weight)),
        decision -> {
          TopologyState after = node.view().state();
          boolean taken =
              decision instanceof Decision.Decided decided
                  && decided.outcome() instanceof TopologyOutcome.Refused refused
                  && refused.reason() == TopologyOutcome.Reason.EXISTS;
          boolean again = (taken || stale(decision)) && after.epoch() > state.epoch();
          if (again && attempt < ATTEMPTS) {
            join(body, attempt + 1, done);
          } else if (isMember(after, member)) {
            done.accept(admitted(after));
          } else {
            done.accept(retriable(page(decision)));
          }
        });
  }

  private static Member.Ports ports(JsonNode body) {
    Map<String, Integer> doors = new TreeMap<>();
    ServerConfig.DOORS.forEach(door -> doors.put(door, integer(body, door, 0)));
    return ServerConfig.ports(integer(body, "internode", null), doors);
  }

  /// Another newcomer may have got the number.
  static boolean isMember(TopologyState state, Member newcomer) {
    MemberEntry entry = state.member(newcomer.number());
    return entry != null && entry.member().equals(newcomer);
  }

  /// Why a newcomer's version cannot take part at the cluster's level, null if it can.
  private static @Nullable String stranger(JsonNode body, int level) {
    if (!body.has("minLevel") || !body.has("maxLevel")) {
      return "it does not say which protocol levels it speaks, so it is of an earlier version than"
          + " this member: upgrade it";
    }
    int min = integer(body, "minLevel", null);
    int max = integer(body, "maxLevel", null);
    if (min < 1 || max < min) {
      return "it speaks protocol levels %d to %d, which are none".formatted(min, max);
    }
    return new Levels(min, max).problem(level);
  }

  /// The newcomer asks again where a later answer may be another: the cluster is being founded, or
  /// admitted it and this node has not heard of it.
  private static Page retriable(Page page) {
    boolean early =
        page.body().contains(TopologyOutcome.Reason.NOT_FOUNDED.name())
            || page.body().contains(TopologyOutcome.Reason.STALE_EPOCH.name())
            || page.body().contains(TopologyOutcome.Reason.EXISTS.name());
    return page.status() == 200 || early ? new Page(503, page.type(), page.body()) : page;
  }

  private Page admitted(TopologyState state) {
    ByteWriter out = new ByteWriter();
    TopologyCodec.encode(state, out);
    ObjectNode body = json.createObjectNode();
    body.put("topology", Base64.getEncoder().encodeToString(out.toByteArray()));
    return new Page(200, "application/json", body + "\n");
  }
}
