package dev.tern.raft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class RaftMessageCodecTest {
  private static final byte[] BYTES = {1, 0, -1};
  private static final Membership JOINT =
      new Membership(List.of(1, 2, 300), List.of(1, 2, 3), List.of(4));

  private static List<RaftMessage> all() {
    List<Entry> entries =
        List.of(
            Entry.empty(8, 3),
            new Entry(9, 4, Entry.Kind.COMMAND, BYTES),
            new Entry(10, 4, Entry.Kind.MEMBERSHIP, JOINT.encoded()));
    return List.of(
        new RaftMessage.Append(5, 7, 2, 6, entries),
        new RaftMessage.Append(5, 7, 2, 6, List.of()),
        new RaftMessage.PreVote(5, 7, 4),
        new RaftMessage.PreVoteReply(5, true),
        new RaftMessage.Vote(5, 7, 4, true),
        new RaftMessage.VoteReply(5, false),
        new RaftMessage.Appended(5, 1L << 40),
        new RaftMessage.Conflict(5, 7, 3, -1),
        new RaftMessage.Heartbeat(5, 7, 1000),
        new RaftMessage.HeartbeatReply(5, 1000),
        new RaftMessage.Chunk(5, new SnapshotMark(7, 4, JOINT), 300, BYTES, true),
        new RaftMessage.ChunkReply(5, 7, 300, 303),
        new RaftMessage.TimeoutNow(5),
        new RaftMessage.Read(5, Long.MIN_VALUE),
        new RaftMessage.ReadReply(5, -1, 7),
        new RaftMessage.Stale(1L << 62));
  }

  private static byte[] encoded(RaftMessage message) {
    ByteWriter out = new ByteWriter();
    RaftMessageCodec.encode(message, out);
    return out.toByteArray();
  }

  @Test
  void everyMessageComesBack() {
    for (RaftMessage message : all()) {
      byte[] bytes = encoded(message);
      RaftMessage copy = RaftMessageCodec.decode(new ByteReader(bytes));
      assertEquals(message.getClass(), copy.getClass());
      assertArrayEquals(bytes, encoded(copy));
    }
  }

  @Test
  void messagesOfFormat1() throws IOException {
    List<byte[]> made = all().stream().map(RaftMessageCodecTest::encoded).toList();
    Golden.check(
        "raft-messages-1", made, bytes -> encoded(RaftMessageCodec.decode(new ByteReader(bytes))));
    Hostile hostile = new Hostile(b -> RaftMessageCodec.decode(new ByteReader(b)), 1 << 18);
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void brokenBytesAreRefusedAndNothingElse() {
    Randomness random = Randomness.of(12);
    int refused = 0;
    for (RaftMessage message : all()) {
      byte[] bytes = encoded(message);
      for (int round = 0; round < 500; round++) {
        byte[] broken = bytes.clone();
        broken[random.nextInt(broken.length)] = (byte) random.nextLong();
        int length = random.nextInt(2) == 0 ? broken.length : random.nextInt(broken.length);
        try {
          RaftMessageCodec.decode(new ByteReader(broken, 0, length));
        } catch (DecodeException e) {
          refused++;
        }
      }
    }
    assertTrue(refused > 1000);
  }

  @Test
  void theFormatStaysAsItIs() {
    assertEquals(
        "0105050702060308030000040103" + "0100ff" + "04020b" + "030102ac0203010203" + "0104",
        HexFormat.of().formatHex(encoded(all().getFirst())));
  }
}
