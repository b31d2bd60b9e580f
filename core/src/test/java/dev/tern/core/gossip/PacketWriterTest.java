package dev.tern.core.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class PacketWriterTest {
  private static final long INCARNATION = Incarnation.first(3) | 2;
  private static final Load LOAD = new Load(Incarnation.first(3) | 9, 421, 1L << 30, 1L << 40, 300);
  private static final List<Rumour> RUMOURS =
      List.of(
          new Rumour(1, Incarnation.first(1), Status.ALIVE, 0),
          new Rumour(65_536, Incarnation.first(Integer.MAX_VALUE) | 7, Status.SUSPECT, 12),
          new Rumour(3, Incarnation.first(2) | 0xffff_ffffL, Status.DEAD, 0),
          new Rumour(4, Incarnation.first(9), Status.LEFT, 0));
  private static final List<Packet.Report> REPORTS =
      List.of(new Packet.Report(300, new Load(Incarnation.first(1) | 1, 0, 5, 10, 0)));

  private static List<Packet.Body> bodies() {
    return List.of(
        new Packet.Ping(-1),
        new Packet.PingRequest(5, 65_536),
        new Packet.Ack(300),
        new Packet.Nack(0),
        new Packet.Idle(),
        new Packet.Sync(true));
  }

  private static byte[] encoded(Packet.Body body) {
    PacketWriter writer = new PacketWriter().begin(INCARNATION, LOAD, body);
    RUMOURS.forEach(rumour -> assertTrue(writer.add(rumour)));
    REPORTS.forEach(report -> assertTrue(writer.add(report.number(), report.load())));
    return writer.finish();
  }

  @Test
  void everyPacketComesBack() {
    for (Packet.Body body : bodies()) {
      Packet packet = PacketWriter.decode(new ByteReader(encoded(body)));
      assertEquals(new Packet(INCARNATION, LOAD, body, RUMOURS, REPORTS), packet);
    }
  }

  @Test
  void brokenBytesAreRefusedAndNothingElse() {
    Randomness random = Randomness.of(5);
    int refused = 0;
    for (Packet.Body body : bodies()) {
      byte[] bytes = encoded(body);
      for (int round = 0; round < 2_000; round++) {
        byte[] broken = bytes.clone();
        broken[random.nextInt(broken.length)] = (byte) random.nextLong();
        int length = random.nextInt(2) == 0 ? broken.length : random.nextInt(broken.length);
        try {
          PacketWriter.decode(new ByteReader(broken, 0, length));
        } catch (DecodeException e) {
          refused++;
        }
      }
    }
    assertTrue(refused > 3_000, refused + " refused");
  }

  @Test
  void packetsOfFormat1() throws IOException {
    List<byte[]> made = bodies().stream().map(PacketWriterTest::encoded).toList();
    Golden.check("gossip-packets-1", made, PacketWriterTest::again);
    Hostile hostile = new Hostile(bytes -> PacketWriter.decode(new ByteReader(bytes)), 1 << 18);
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  private static byte[] again(byte[] bytes) {
    Packet packet = PacketWriter.decode(new ByteReader(bytes));
    PacketWriter writer = new PacketWriter();
    writer.begin(packet.incarnation(), packet.load(), packet.body());
    packet.rumours().forEach(rumour -> assertTrue(writer.add(rumour)));
    packet.reports().forEach(report -> assertTrue(writer.add(report.number(), report.load())));
    return writer.finish();
  }

  @Test
  void aFullPacketTakesNothingMoreAndKeepsItsBound() {
    PacketWriter writer = new PacketWriter().begin(INCARNATION, LOAD, new Packet.Sync(false));
    int taken = 0;
    while (writer.add(RUMOURS.get(1))) {
      taken++;
    }
    assertFalse(writer.add(RUMOURS.get(1)));
    byte[] bytes = writer.finish();
    assertTrue(bytes.length <= PacketWriter.MAX_PACKET_BYTES);
    assertEquals(taken, PacketWriter.decode(new ByteReader(bytes)).rumours().size());
  }

  @Test
  void theFormatStaysAsItIs() {
    assertEquals(
        "0101030209a5038080808004808080808020ac02ffffffff0f0801008180"
            + "20ffffffff07070c1a02ffffffff0f"
            + "23090"
            + "0e412010100050a00",
        HexFormat.of().formatHex(encoded(new Packet.Ping(-1))));
  }

  @Test
  void aLifeHasItsOwnIncarnations() {
    assertTrue(Incarnation.first(2) > (Incarnation.first(1) | 0xffff_ffffL));
    assertEquals(2, Incarnation.generation(Incarnation.first(2) | 77));
    assertThrows(IllegalArgumentException.class, () -> Incarnation.first(0));
  }
}
