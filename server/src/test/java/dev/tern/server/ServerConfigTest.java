package dev.tern.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.FillBounds;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a node makes of its settings.
class ServerConfigTest {
  private static final Map<String, Integer> DOORS =
      Map.of("redis", 6379, "riak", 8087, "admin", 7070);

  private static ServerConfig config(int number, String zone, String seeds) {
    return config("data", number, zone, seeds, DOORS, 7071);
  }

  private static ServerConfig config(
      String data,
      int number,
      String zone,
      String seeds,
      Map<String, Integer> doors,
      int internode) {
    return new ServerConfig(
        data,
        "0.0.0.0",
        "10.0.0.1",
        number,
        zone,
        100,
        seeds,
        doors,
        internode,
        2,
        64,
        3,
        2,
        2,
        Durability.SYNC,
        512,
        ServerConfig.USUAL_AWAY_MILLIS,
        0,
        FillBounds.USUAL,
        "auto");
  }

  private static ServerConfig away(long millis) {
    ServerConfig usual = config(0, "", "");
    return new ServerConfig(
        usual.data(),
        usual.bind(),
        usual.advertise(),
        usual.number(),
        usual.zone(),
        usual.weight(),
        usual.seeds(),
        usual.doorPorts(),
        usual.internodePort(),
        usual.shards(),
        usual.partitions(),
        usual.n(),
        usual.r(),
        usual.w(),
        usual.durability(),
        usual.memoryMegabytes(),
        millis,
        usual.diskReserveMegabytes(),
        usual.fill(),
        usual.transport());
  }

  @Test
  void aMemberIsAwayAfterASensibleTimeOrNever() {
    assertEquals(0, away(0).awayMillis());
    assertEquals(30_000, away(30_000).awayMillis());
    for (long millis : new long[] {-1, 1, 29_999, 367L * 24 * 3_600_000, Long.MAX_VALUE}) {
      assertTrue(refusal(() -> away(millis)).contains("30 s to 366 days, or never"));
    }
  }

  private static String refusal(Runnable what) {
    return String.valueOf(assertThrows(IllegalArgumentException.class, what::run).getMessage());
  }

  /// What is left out of a seed follows from the rest.
  @ParameterizedTest
  @CsvSource({
    // seed, number, host, internode, redis, admin, riak, zone, weight
    "10.0.0.7, 1, 10.0.0.7, 7071, 6379, 7070, 8087, zone-1, 100",
    "10.0.0.7:7171, 1, 10.0.0.7, 7171, 6479, 7170, 8187, zone-1, 100",
    "9@host:7071, 9, host, 7071, 6379, 7070, 8087, zone-9, 100",
    "host:7071/1/2, 1, host, 7071, 1, 2, 8087, zone-1, 100",
    "host:7071/1/2/a, 1, host, 7071, 1, 2, 8087, a, 100",
    "3@host:7071/1/2/a/50, 3, host, 7071, 1, 2, 8087, a, 50",
    "host:7071/1/2/a/50/3, 1, host, 7071, 1, 2, 3, a, 50",
    "host:7071/redis=5, 1, host, 7071, 5, 7070, 8087, zone-1, 100",
    "host:7071/1/2/a/riak=9, 1, host, 7071, 1, 2, 9, a, 100",
    "host:7071/redis=5/1/2, 1, host, 7071, 5, 2, 8087, zone-1, 100",
    "::1:7071, 1, ::1, 7071, 6379, 7070, 8087, zone-1, 100",
    // A port that would be none is not told.
    "host:1, 1, host, 1, 0, 0, 1017, zone-1, 100",
    "host:65000, 1, host, 65000, 64308, 64999, 0, zone-1, 100",
  })
  void aSeedIsReadWhole(
      String seed,
      int number,
      String host,
      int internode,
      int redis,
      int admin,
      int riak,
      String zone,
      int weight) {
    MemberEntry entry = config(0, "", seed).seedList().getFirst();
    Member member = entry.member();
    assertEquals(number, entry.number());
    assertEquals(host, member.host());
    assertEquals(zone, entry.zone());
    assertEquals(weight, entry.weight());
    Member.Ports ports =
        Member.Ports.NONE
            .with("internode", internode)
            .with("redis", redis)
            .with("admin", admin)
            .with("riak", riak);
    assertEquals(ports, member.ports());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ":7071",
        "x@host:7071",
        "host:port",
        "host:70710",
        "host:-1",
        "host:0",
        "host:7071/1",
        "host:7071/one/2",
        "host:7071/1/2/zone/heavy",
        "host:7071/1/2/zone/1/2/3",
        "host:7071/redis=x",
        "host:7071/redis=70000",
        "a:1,,b:2",
        "99999999999@host:7071",
      })
  void aSeedThatCannotBeReadIsNamed(String seeds) {
    String why = refusal(() -> config(0, "", seeds).seedList());
    assertTrue(why.startsWith("a seed is [number@]host:internode[/redis/admin[/zone"), why);
  }

  @Test
  void placesInTheListAreNumbers() {
    List<MemberEntry> seeds = config(0, "", " a:1 , 7@b:2,c:3").seedList();
    assertEquals(List.of(1, 7, 3), seeds.stream().map(MemberEntry::number).toList());
    assertEquals(List.of(), config(0, "", "  ").seedList());
  }

  @Test
  void settingsOutOfTheirBoundsAreRefusedByName() {
    Map<String, Integer> high = Map.of("redis", 65_536, "riak", 8087, "admin", 7070);
    assertEquals(
        "a port lies between 0 and 65535, not 65536",
        refusal(() -> config("data", 0, "", "", high, 7071)));
    assertEquals(
        "a port lies between 0 and 65535, not -1",
        refusal(() -> config("data", 0, "", "", DOORS, -1)));
    assertEquals(
        "the doors are [admin, redis, riak]",
        refusal(() -> config("data", 0, "", "", Map.of("redis", 1), 7071)));
    assertEquals(
        "a data directory is needed: --data DIR",
        refusal(() -> config(" ", 0, "", "", DOORS, 7071)));
  }

  @Test
  void aNodeAloneFoundsItsCluster() {
    Founding founding = Objects.requireNonNull(config(0, "", "").founding());
    MemberEntry only = founding.founders().getFirst();
    assertEquals(1, only.number());
    assertEquals("zone-1", only.zone());
    assertEquals("10.0.0.1", only.member().host());
    assertEquals(
        5, Objects.requireNonNull(config(5, "z", "").founding()).founders().getFirst().number());
  }

  @Test
  void aFounderFindsItselfByItsAddressOrItsNumber() {
    String seeds = "10.0.0.2:7071,10.0.0.1:7071,10.0.0.3:7071";
    Founding byAddress = Objects.requireNonNull(config(0, "", seeds).founding());
    Founding byNumber = Objects.requireNonNull(config(2, "zone-2", seeds).founding());
    assertEquals(byAddress.founders(), byNumber.founders());
    assertEquals(3, byAddress.founders().size());
    List<String> keyspaces =
        byAddress.state().keyspaces().stream().map(each -> each.settings().name()).toList();
    assertEquals(List.of("redis", "default", "plain"), keyspaces);
    for (KeyspaceSettings settings :
        byAddress.state().keyspaces().stream().map(each -> each.settings()).toList()) {
      assertEquals(List.of(3, 2, 2), List.of(settings.n(), settings.r(), settings.w()));
    }
  }

  @Test
  void oneWhomTheSeedsDoNotNameIsToBeLetIn() {
    assertNull(config(0, "", "10.0.0.2:7071,10.0.0.3:7071").founding());
    assertEquals(
        "the seeds do not name this node, number 9",
        refusal(() -> config(9, "", "10.0.0.2:7071").founding()));
  }

  @Test
  void seedsAndFlagsThatContradictEachOtherAreRefused() {
    String ports = refusal(() -> config(0, "", "10.0.0.1:7071/1/2").founding());
    assertTrue(ports.startsWith("the seeds say this node's ports are "), ports);
    assertTrue(ports.endsWith("write them into the seed"), ports);
    String zone = refusal(() -> config(0, "mine", "10.0.0.1:7071").founding());
    assertTrue(zone.startsWith("the seeds say this node's zone is zone-1, not mine"), zone);
    String twice = refusal(() -> config(0, "", "1@10.0.0.1:7071,1@10.0.0.2:7071").founding());
    assertNotNull(twice);
  }

  @Test
  void aDoorsUsualPortGoesWithTheInternodePort() {
    assertEquals(6379, ServerConfig.usualPort("redis", 7071));
    assertEquals(6479, ServerConfig.usualPort("redis", 7171));
    assertEquals(0, ServerConfig.usualPort("redis", 0));
    assertEquals(0, ServerConfig.usualPort("redis", 600));
    assertEquals(0, ServerConfig.usualPort("riak", 65_000));
  }
}
