package dev.tern.core.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TopologyTest {
  private static Member member(int number, String zone) {
    return new Member(
        number,
        "%040x".formatted(number),
        zone,
        "127.0.0.1",
        Member.Ports.NONE.with("internode", 1).with("redis", 2));
  }

  @Test
  void slotsAreThoseOfRedisCluster() {
    assertEquals(12739, Slots.of("123456789".getBytes(UTF_8)));
    assertEquals(Slots.of("user1000".getBytes(UTF_8)), Slots.of("{user1000}.a".getBytes(UTF_8)));
    assertEquals(Slots.of("{bar".getBytes(UTF_8)), Slots.of("foo{{bar}}zap".getBytes(UTF_8)));
    assertNotEquals(Slots.of("".getBytes(UTF_8)), Slots.of("foo{}{bar}".getBytes(UTF_8)));
    assertEquals(0, Slots.of(new byte[0]));
  }

  @Test
  void listsSpreadOverZonesFirstAndEveryMemberLeadsItsShare() {
    List<Member> members =
        IntStream.rangeClosed(1, 6).mapToObj(i -> member(i, "zone" + (i - 1) / 2)).toList();
    Topology topology = Topology.ofMembers(1, 1024, 3, members);
    int[] leads = new int[7];
    for (int p = 0; p < 1024; p++) {
      int[] list = topology.replicas(p);
      leads[list[0]]++;
      long zones = Arrays.stream(list).mapToObj(m -> topology.member(m).zone()).distinct().count();
      assertEquals(3, zones);
      assertEquals(3, Arrays.stream(list).distinct().count());
    }
    for (int m = 1; m <= 6; m++) {
      assertEquals(1024.0 / 6, leads[m], 1);
    }
  }

  @Test
  void fewerMembersThanReplicasGiveShorterLists() {
    Topology one = Topology.ofMembers(1, 64, 3, List.of(member(1, "a")));
    assertEquals(1, one.replicas(63).length);
    assertThrows(
        IllegalArgumentException.class,
        () -> Topology.ofMembers(1, 64, 3, List.of(member(1, "a"), member(1, "b"))));
    assertThrows(
        IllegalArgumentException.class,
        () -> Topology.ofMembers(1, 100, 3, List.of(member(1, "a"))));
  }
}
