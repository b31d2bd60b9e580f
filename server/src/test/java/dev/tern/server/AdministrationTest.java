package dev.tern.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tern.core.context.FillBounds;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The pages and actions of one node, as a client of HTTP sees them.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class AdministrationTest {
  private static final String TOKEN = "00000000000000ab";

  @TempDir private static Path data;
  private static TernServer server;

  private final HttpClient http = HttpClient.newHttpClient();
  private final JsonMapper json = JsonMapper.builder().build();

  @BeforeAll
  static void start() throws IOException {
    Map<String, Integer> doors = Map.of("redis", 0, "riak", 0, "admin", 0);
    ServerConfig config =
        new ServerConfig(
            data.resolve("node").toString(),
            "127.0.0.1",
            "127.0.0.1",
            0,
            "",
            100,
            "",
            doors,
            0,
            1,
            16,
            1,
            1,
            1,
            Durability.OS,
            64,
            ServerConfig.USUAL_AWAY_MILLIS,
            0,
            FillBounds.USUAL,
            "nio");
    server =
        TernServer.start(
            config,
            cause -> {
              throw new AssertionError("the node broke", cause);
            });
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  private HttpResponse<String> send(String path, HttpRequest.Builder request)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + server.port("admin") + path);
    return http.send(request.uri(uri).build(), HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(path, HttpRequest.newBuilder().GET());
  }

  private HttpResponse<String> post(String path, String body)
      throws IOException, InterruptedException {
    return send(
        path,
        HttpRequest.newBuilder()
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  private long changed(String path, String body) throws IOException, InterruptedException {
    HttpResponse<String> answer = post(path, body);
    assertEquals(200, answer.statusCode(), answer.body());
    JsonNode page = json.readTree(answer.body());
    assertEquals("changed", page.path("outcome").asText(), answer.body());
    return page.path("epoch").asLong();
  }

  private JsonNode keyspace(String name) throws IOException, InterruptedException {
    for (JsonNode each : json.readTree(get("/cluster").body()).path("keyspaces")) {
      if (each.path("name").asText().equals(name)) {
        return each;
      }
    }
    return json.missingNode();
  }

  @Test
  void aKeyspaceIsMadeAlteredAndDropped() throws Exception {
    changed("/keyspace/create", "{\"name\":\"made\",\"timeoutMillis\":700}");
    assertEquals(700, keyspace("made").path("timeoutMillis").asInt(), keyspace("made").toString());
    HttpResponse<String> again = post("/keyspace/create", "{\"name\":\"made\"}");
    assertEquals(409, again.statusCode(), again.body());
    assertEquals("refused", json.readTree(again.body()).path("outcome").asText());
    changed("/keyspace/alter", "{\"name\":\"made\",\"timeoutMillis\":900}");
    assertEquals(900, keyspace("made").path("timeoutMillis").asInt());
    HttpResponse<String> same =
        post("/keyspace/alter", "{\"name\":\"made\",\"timeoutMillis\":900}");
    assertEquals("unchanged", json.readTree(same.body()).path("outcome").asText(), same.body());
    changed("/keyspace/drop", "{\"name\":\"made\"}");
    assertTrue(keyspace("made").isMissingNode());
  }

  @Test
  void movesAreHeldCancelledAndLetGo() throws Exception {
    long epoch = changed("/cluster/pause", "{}");
    JsonNode moves = json.readTree(get("/cluster/moves").body());
    assertTrue(moves.path("held").asBoolean() && moves.path("epoch").asLong() == epoch);
    assertEquals(0, moves.path("underWay").size());
    assertEquals(epoch + 1, changed("/cluster/resume", "{}"));
    HttpResponse<String> cancel = post("/cluster/cancel", "{}");
    assertEquals(200, cancel.statusCode(), cancel.body());
    assertEquals(0, json.readTree(cancel.body()).path("cancelled").asInt(-1));
    assertTrue(json.readTree(get("/cluster/moves").body()).path("held").asBoolean());
    changed("/cluster/resume", "{}");
  }

  @Test
  void anEpochMakesACommandHoldThereOnly() throws Exception {
    long epoch = changed("/keyspace/create", "{\"name\":\"epochs\"}");
    String late = "{\"name\":\"epochs\",\"timeoutMillis\":800,\"epoch\":%d}".formatted(epoch - 1);
    HttpResponse<String> answer = post("/keyspace/alter", late);
    assertEquals(409, answer.statusCode(), answer.body());
    assertEquals("STALE_EPOCH", json.readTree(answer.body()).path("reason").asText());
    changed("/keyspace/alter", late.replace(":" + (epoch - 1) + "}", ":" + epoch + "}"));
  }

  private static Stream<Arguments> senseless() {
    return Stream.of(
        Arguments.of("/keyspace/create", "nonsense", "the body is no JSON"),
        Arguments.of("/keyspace/create", "[1]", "the body is a JSON object"),
        Arguments.of("/keyspace/create", "{}", "'name' is a string"),
        Arguments.of(
            "/keyspace/create", "{\"name\":\"x\",\"timeout\":7}", "a keyspace has no 'timeout'"),
        Arguments.of("/keyspace/create", "{\"name\":7}", "'name' is a string"),
        Arguments.of("/keyspace/create", "{\"name\":\"x\",\"n\":1.5}", "'n' is a whole number"),
        Arguments.of("/keyspace/create", "{\"name\":\"x\",\"n\":\"two\"}", "'n' is a whole number"),
        Arguments.of(
            "/keyspace/create",
            "{\"name\":\"x\",\"compaction\":\"fifo\"}",
            "FIFO compaction drops keys"),
        Arguments.of("/keyspace/create", "{\"name\":\"x\",\"durability\":\"most\"}", "most"),
        Arguments.of("/keyspace/alter", "{\"name\":\"nowhere\"}", "there is no keyspace nowhere"),
        Arguments.of(
            "/keyspace/drop",
            "{\"name\":\"redis\"}",
            "the Redis door serves keyspace redis: it stays"),
        Arguments.of("/cluster/weight", "{\"number\":1}", "'weight' is a whole number"),
        Arguments.of(
            "/cluster/weight",
            "{\"number\":1,\"weight\":-5}",
            "a weight lies between 0 and 1000000, not -5"),
        Arguments.of(
            "/cluster/zone",
            "{\"number\":1,\"zone\":\"a\\u001bb\"}",
            "none of which is a control character"),
        Arguments.of("/cluster/zone", "{\"number\":1,\"zone\":\"\"}", "a zone has a name"),
        Arguments.of("/cluster/remove", "{\"number\":true}", "'number' is a whole number"),
        Arguments.of("/cluster/zone", "{\"number\":1}", "'zone' is a string"),
        Arguments.of("/cluster/join", "{\"host\":\"h\"}", "'internode' is a whole number"),
        Arguments.of(
            "/cluster/join",
            "{\"host\":\"h\",\"internode\":9,\"token\":\"xyz\"}",
            "'token' is 16 hexadecimal digits"));
  }

  @ParameterizedTest
  @MethodSource("senseless")
  void aBodyThatMakesNoSenseIsToldWhy(String path, String body, String why) throws Exception {
    HttpResponse<String> answer = post(path, body);
    assertEquals(400, answer.statusCode(), answer.body());
    assertTrue(answer.body().contains(why), answer.body());
  }

  @Test
  void whatTheTopologyRefusesIsAConflict() throws Exception {
    HttpResponse<String> unknown = post("/cluster/weight", "{\"number\":77,\"weight\":3}");
    assertEquals(409, unknown.statusCode(), unknown.body());
    for (String body :
        List.of("/cluster/leave {\"number\":1}", "/cluster/weight {\"number\":1,\"weight\":0}")) {
      HttpResponse<String> needed = post(body.split(" ")[0], body.split(" ")[1]);
      assertEquals(409, needed.statusCode(), needed.body());
      assertTrue(needed.body().contains("would have 0 members to hold them"), needed.body());
      assertTrue(needed.body().contains("--anyway"), needed.body());
    }
    HttpResponse<String> last = post("/cluster/remove", "{\"number\":1}");
    assertEquals(409, last.statusCode(), last.body());
    assertEquals(409, post("/keyspace/drop", "{\"name\":\"nowhere\"}").statusCode());
  }

  @Test
  void aNodeThatStandsThereAlreadyIsNotLetInAgain() throws Exception {
    HttpResponse<String> answer =
        join(0, ",\"minLevel\":5,\"maxLevel\":5,\"token\":\"%s\"".formatted(TOKEN));
    assertEquals(503, answer.statusCode(), answer.body());
    assertTrue(answer.body().contains("is alive: take another address"), answer.body());
  }

  /// Two machines at one address must not become one member.
  @Test
  void aNewcomerIsKnownByItsToken() {
    Member.Ports ports = ServerConfig.ports(9, Map.of("admin", 2));
    Member let = new Member(2, ServerConfig.name(2, TOKEN), "z", "h", ports);
    TopologyState state = with(let);
    assertTrue(Administration.sameNewcomer(state, let, TOKEN), "its answer was lost");
    assertFalse(Administration.sameNewcomer(state, let, TOKEN.replace('0', '1')));
    assertFalse(Administration.sameNewcomer(state, let, ""));
    Member before = new Member(2, ServerConfig.name(2), "z", "h", ports);
    assertFalse(Administration.sameNewcomer(with(before), before, TOKEN), "it votes");
  }

  /// Of two newcomers at once one gets the number.
  @Test
  void aNumberOfAnotherIsNotOnesOwn() {
    Member.Ports ports = ServerConfig.ports(9, Map.of("admin", 2));
    Member one = new Member(2, ServerConfig.name(2, TOKEN), "z", "h", ports);
    Member other = new Member(2, ServerConfig.name(2, TOKEN), "z", "i", ports);
    assertTrue(Administration.isMember(with(one), one));
    assertFalse(Administration.isMember(with(one), other));
    assertFalse(Administration.isMember(TopologyState.NOTHING, one));
  }

  private static TopologyState with(Member member) {
    MemberEntry entry = new MemberEntry(member, 100, /* leaving= */ false);
    return new Founding(16, List.of(entry), List.of()).state();
  }

  private HttpResponse<String> join(int internode, String levels) throws Exception {
    return post(
        "/cluster/join",
        "{\"host\":\"127.0.0.1\",\"internode\":%d,\"redis\":1,\"admin\":2%s}"
            .formatted(internode, levels));
  }

  private static Stream<Arguments> strangers() {
    return Stream.of(
        Arguments.of("", "does not say which protocol levels it speaks"),
        Arguments.of(",\"minLevel\":5", "does not say which protocol levels it speaks"),
        Arguments.of(",\"minLevel\":0,\"maxLevel\":5", "levels 0 to 5, which are none"),
        Arguments.of(
            ",\"minLevel\":2,\"maxLevel\":3",
            "it speaks protocol levels 2 to 3 and the cluster is at 5: upgrade it"),
        Arguments.of(
            ",\"minLevel\":6,\"maxLevel\":7",
            "it speaks protocol levels 6 to 7 and the cluster is at 5: upgrade all members"));
  }

  /// It would be a dead member otherwise: its own start ends when it has been let in.
  @ParameterizedTest
  @MethodSource("strangers")
  void aNodeOfAnotherVersionIsNotLetIn(String levels, String why) throws Exception {
    HttpResponse<String> answer = join(3, levels);
    assertEquals(409, answer.statusCode(), answer.body());
    assertTrue(answer.body().contains(why), answer.body());
    assertEquals(1, json.readTree(get("/cluster").body()).path("members").size());
  }

  /// A page of another site cannot send it without the browser asking first.
  @Test
  void aBodyThatIsNotSaidToBeJsonIsRefused() throws Exception {
    HttpResponse<String> answer =
        send(
            "/keyspace/drop",
            HttpRequest.newBuilder()
                .header("Content-Type", "text/plain")
                .POST(HttpRequest.BodyPublishers.ofString("{\"name\":\"plain\"}")));
    assertEquals(415, answer.statusCode(), answer.body());
    assertFalse(keyspace("plain").isMissingNode());
  }

  @Test
  void pathsAndMethodsThatAreNotThereAreNamed() throws Exception {
    HttpResponse<String> nowhere = get("/nowhere");
    assertEquals(404, nowhere.statusCode());
    assertTrue(nowhere.body().contains("/cluster"), nowhere.body());
    assertEquals(405, get("/keyspace/create").statusCode());
    assertEquals(405, post("/health", "").statusCode());
    assertEquals(413, post("/keyspace/create", "x".repeat(100_000)).statusCode());
  }

  @Test
  void theNodeSaysHowItIs() throws Exception {
    JsonNode health = json.readTree(get("/health").body());
    assertEquals("ok", health.path("status").asText(), health.toString());
    assertEquals(1, health.path("members").asInt());
    // Answered once the cluster is founded, so that there is a leader from here on.
    changed("/keyspace/create", "{\"name\":\"health\"}");
    JsonNode cluster = json.readTree(get("/cluster").body());
    assertEquals(16, cluster.path("partitions").asInt());
    assertEquals(1, cluster.path("log").path("leader").asInt());
    String metrics = get("/metrics").body();
    for (String name :
        new String[] {"tern_lsm_ingests", "tern_reads_total", "tern_repair_passed_over_total"}) {
      assertTrue(metrics.contains(name), () -> name + " is not in " + metrics);
    }
    assertTrue(json.readTree(get("/keyspaces").body()).toString().contains("redis"));
    JsonNode events = json.readTree(get("/events").body());
    assertTrue(events.isArray(), events.toString());
    long last = events.isEmpty() ? 0 : events.get(events.size() - 1).path("number").asLong();
    assertEquals(0, json.readTree(get("/events?after=" + last).body()).size());
    assertEquals(400, get("/events?after=x").statusCode());
  }

  /// A metric that nobody explains is of no use to whoever looks at a dashboard at night.
  @Test
  void everyMetricHasAHelpTextAndIsDocumented() throws IOException, InterruptedException {
    String documented = Files.readString(Path.of("../docs/metrics.md"));
    List<String> lines = get("/metrics").body().lines().toList();
    List<String> names =
        lines.stream()
            .filter(line -> line.startsWith("# TYPE "))
            .map(line -> line.split(" ")[2])
            .toList();
    assertTrue(names.size() > 100, names::toString);
    for (String name : names) {
      String help = "# HELP " + name + " ";
      boolean helps =
          lines.stream()
              .anyMatch(line -> line.startsWith(help) && !line.substring(help.length()).isBlank());
      assertTrue(helps, name + " has no help text");
      assertTrue(documented.contains("`" + name + "`"), name + " is not in docs/metrics.md");
    }
  }

  /// The other way round: what is documented is there.
  @Test
  void noMetricIsDocumentedThatIsNotThere() throws IOException, InterruptedException {
    String page = get("/metrics").body();
    Matcher names =
        Pattern.compile("`(tern_\\w+)`").matcher(Files.readString(Path.of("../docs/metrics.md")));
    while (names.find()) {
      assertTrue(page.contains("# TYPE " + names.group(1) + " "), names.group(1) + " is not there");
    }
  }
}
