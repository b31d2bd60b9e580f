package dev.tern.core.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Randomness;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class MessageCodecTest {
  private static final byte[] KEY = {1, 0, -1};
  private static final RoutedKey AT = new RoutedKey(9, 16_383, 3, KEY);
  private static final Stamp STAMP = new Stamp(1L << 60, -9, 7, 3, false);
  private static final Version VERSION =
      new Version(-7, 300, STAMP, 1_780_000_000_000L, ValueType.BYTES, KEY);

  private static List<Message> all() {
    List<Message> all = new ArrayList<>(usual());
    all.add(new Message.Write(1, 2, AT, record(), 1L << 57));
    all.add(new Message.Read(1, 2, AT, true, false, false, 1L << 57));
    all.add(new Message.Read(1, 2, AT, true, false, true, 0));
    all.add(new Message.Read(1, 2, AT, true, false, false, 1L << 57, STAMP));
    all.add(
        forward(
            new Update.Store(
                ValueType.RIAK_OBJECT, KEY, 7, new byte[0], true, Update.Match.NONE, false)));
    all.add(new Message.Outvoted(1, 1L << 57));
    all.add(
        new Message.AskHeld(7, 0, List.of(new Message.Asked(-1, 2), new Message.Asked(3, 1_000))));
    all.add(new Message.AskHeld(7, 0, List.of()));
    all.add(new Message.Holds(7, new byte[] {0, 1, 2}));
    return all;
  }

  private static List<Message> usual() {
    return List.of(
        new Message.Write(1, 2, AT, Siblings.of(VERSION)),
        new Message.Write(1, 2, AT, record()),
        new Message.Read(1, 2, AT, true, false, false, 0),
        new Message.Read(1, 2, AT, false, true, false, 0),
        new Message.ReadHeld(1, 2, AT, 4),
        forward(new Update.Put(KEY, -1, Update.Condition.ABSENT, true)),
        forward(new Update.Delete(true)),
        forward(new Update.Add(Long.MIN_VALUE)),
        forward(new Update.AddDecimal("1.5e3")),
        forward(new Update.Append(KEY)),
        forward(new Update.Expire(0, Update.ExpiryCondition.LATER_THAN_NEW)),
        forward(new Update.Store(null, 0, KEY, true, Update.Match.UNMODIFIED, true)),
        forward(new Update.Store(KEY, 7, new byte[0], false, Update.Match.NONE, false)),
        new Message.Updated(1, new UpdateOutcome.Stored(false, null)),
        new Message.Updated(
            1,
            new UpdateOutcome.Stored(
                true,
                new Versions(
                    List.of(
                        new Versions.Sibling("a", KEY, 7, 8),
                        new Versions.Sibling("b", null, 9, 0)),
                    KEY))),
        new Message.Scan(1, 2, 3, 1L << 45, 10),
        new Message.Count(1, 2, 3, BitSet.valueOf(new long[] {0x8001_0000_0000_0003L, 5})),
        new Message.Written(-1, 255),
        new Message.Superseded(1, new Rank(STAMP.ofExpiry(), -3, 4)),
        new Message.Superseded(1, new Rank(Stamp.put(2, -3), -3, 4)),
        new Message.Value(1, null),
        new Message.Value(1, Siblings.of(Version.put(1, 1, 1, 0, null))),
        new Message.Digest(1, VERSION.rank()),
        new Message.Digest(1, Rank.absent(STAMP)),
        new Message.Updated(1, new UpdateOutcome.Done(true, false, KEY)),
        new Message.Updated(1, new UpdateOutcome.Rejected(UpdateOutcome.Why.TOO_LARGE)),
        new Message.Updated(1, new Unanswered.Unknown("late")),
        new Message.Scanned(
            1,
            new ScanPage(List.of(new ScannedKey(5, 0xffff_ffffL, KEY, VERSION.rank(), true)), 9)),
        new Message.Counted(1, new CountOutcome.Count(2, 1, 1L << 40)),
        new Message.Hold(1, 2, AT, record(), 4),
        new Message.Clock(-1, 2, true, record().context().copy(), STAMP, null, true),
        new Message.Clock(1, 2, false, record().context().copy(), STAMP, record().context(), false),
        new Message.Missing(1, 2, 3, record().context().copy(), null),
        new Message.Missing(1, 2, 3, record().context().copy(), KEY),
        new Message.Repaired(
            1,
            2,
            3,
            new RepairPage(
                record().context().copy(),
                record().dots(),
                record().context().copy(),
                KEY,
                RepairPage.Answer.STUCK,
                List.of(new RepairPage.RepairRecord(16_383, 5, KEY, record())))),
        new Message.Root(1, 2, 3, -4),
        new Message.Segments(1, 2, 3, true, new long[] {-1, 0, 1}),
        new Message.Segments(1, 2, 3, false, new long[0]),
        new Message.Listed(1, 2, 3, new TreeRange(1, KEY, new byte[0]), new long[] {5}),
        new Message.Refused(
            1,
            new Unanswered.Refused(
                Unanswered.Reason.UNAVAILABLE,
                "few",
                0,
                new Unanswered.Shortfall(2, 1, List.of(3, 4)))),
        new Message.Refused(1, new Unanswered.Refused(Unanswered.Reason.OVERLOADED, "full", 20)));
  }

  private static Siblings record() {
    DotSet replaced = new DotSet();
    replaced.addRun(4, 2, 900);
    Version other = Version.put(5, 1, 1L << 50, 0, null);
    return Siblings.written(Siblings.of(other), replaced, VERSION);
  }

  private static Message forward(Update update) {
    return new Message.Forward(1, 2, AT, update, new Level(1, 2, 500));
  }

  private static byte[] encoded(Message message) {
    ByteWriter out = new ByteWriter();
    MessageCodec.encode(message, out);
    return out.toByteArray();
  }

  @Test
  void everyMessageComesBack() {
    for (Message message : allAndLater()) {
      byte[] bytes = encoded(message);
      Message copy = MessageCodec.decode(new ByteReader(bytes));
      assertEquals(message.getClass(), copy.getClass());
      assertArrayEquals(bytes, encoded(copy));
    }
  }

  /// Every kind of message, and every update, outcome and flag of them.
  @Test
  void messagesOfFormat7() throws IOException {
    List<byte[]> made = all().stream().map(MessageCodecTest::encoded).toList();
    Golden.check("messages-7", made, bytes -> encoded(MessageCodec.decode(new ByteReader(bytes))));
    Hostile hostile = new Hostile(b -> MessageCodec.decode(new ByteReader(b)), 1 << 18);
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  /// What came to format 7 with level 5 of the protocol between members.
  @Test
  void messagesOfLevel5() throws IOException {
    Message barrier = new Message.Barrier(1, 2, 3, record().context().copy());
    Message asked = new Message.AskHeld(7, 9, List.of(new Message.Asked(-1, 2)));
    List<byte[]> made = List.of(encoded(barrier), encoded(asked));
    Golden.check(
        "messages-7-level-5", made, bytes -> encoded(MessageCodec.decode(new ByteReader(bytes))));
    Hostile hostile = new Hostile(b -> MessageCodec.decode(new ByteReader(b)), 1 << 18);
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  /// The same, and what came to the format since.
  private static List<Message> allAndLater() {
    List<Message> all = new ArrayList<>(all());
    all.add(new Message.AskChunk(1, 2, 3, 4, new byte[0]));
    all.add(chunk(0));
    return all;
  }

  private static Message chunk(int family) {
    DotSet clock = record().context().copy();
    byte[] next = {1, 0, 5};
    return new Message.Chunk(
        1,
        2,
        3,
        new SnapshotChunk(
            SnapshotChunk.Answer.ROWS,
            4,
            clock,
            new DotSet(),
            new Stamp(1L << 60, 0, 0, 0, false),
            family,
            KEY,
            next));
  }

  /// Of snapshots; they came to format 7 with level 5, too.
  @Test
  void messagesOfSnapshots() throws IOException {
    byte[] cursor = {0, 9};
    Message none = new Message.Chunk(1, 2, 3, SnapshotChunk.without(SnapshotChunk.Answer.NONE, 4));
    List<byte[]> made =
        List.of(
            encoded(new Message.AskChunk(1, 2, 3, 4, cursor)), encoded(chunk(4)), encoded(none));
    Golden.check(
        "messages-7-snapshots", made, bytes -> encoded(MessageCodec.decode(new ByteReader(bytes))));
    Hostile hostile = new Hostile(b -> MessageCodec.decode(new ByteReader(b)), 1 << 18);
    made.forEach(hostile::all);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void brokenBytesAreRefusedAndNothingElse() {
    Randomness random = Randomness.of(11);
    int refused = 0;
    for (Message message : allAndLater()) {
      byte[] bytes = encoded(message);
      for (int round = 0; round < 500; round++) {
        byte[] broken = bytes.clone();
        broken[random.nextInt(broken.length)] = (byte) random.nextLong();
        int length = random.nextInt(2) == 0 ? broken.length : random.nextInt(broken.length);
        try {
          MessageCodec.decode(new ByteReader(broken, 0, length));
        } catch (DecodeException e) {
          refused++;
        }
      }
    }
    assertEquals(true, refused > 1000);
  }

  /// Lengths and counts that claim more than there is reserve nothing.
  @Test
  void whatIsDecodedTakesNoMoreMemoryThanCame() {
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    for (Message message : allAndLater()) {
      byte[] bytes = encoded(message);
      for (int at = 2; at < bytes.length; at++) {
        // A count of 49,152, and room for as many bytes.
        byte[] huge = java.util.Arrays.copyOf(bytes, 1 << 16);
        byte[] number = {(byte) 0x80, (byte) 0x80, 0x03};
        System.arraycopy(number, 0, huge, at, number.length);
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
          MessageCodec.decode(new ByteReader(huge));
        } catch (DecodeException e) {
          assertNotNull(e.getMessage());
        }
        long took = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(took < 8L * huge.length, message + ": " + took + " bytes at " + at);
      }
    }
  }

  @Test
  void constantsOutOfRangeAreRefused() {
    List<Message> wrong =
        List.of(
            new Message.Read(1, -1, AT, false, false, false, 0),
            new Message.Read(1, 2, new RoutedKey(9, 16_383, -3, KEY), false, false, false, 0),
            new Message.Hold(1, 2, AT, record(), 0),
            new Message.ReadHeld(1, 2, AT, -1),
            new Message.Scan(1, 2, 3, (1L << 46) + 1, 10),
            new Message.Scan(1, 2, 3, 0, -1),
            new Message.Root(1, -1, 3, 4),
            new Message.Barrier(1, 16384, 3, new DotSet()),
            new Message.Barrier(1, 2, -3, new DotSet()),
            new Message.Root(1, 16384, 3, 4),
            new Message.Counted(1, new CountOutcome.Count(-5, 0, 0)),
            new Message.Counted(1, new CountOutcome.Count(5, 0, -1)),
            new Message.Write(1, 2, AT, Siblings.of(Version.put(0, 1, 1, 0, KEY))),
            new Message.Write(1, 2, AT, Siblings.of(Version.put(1, 0, 1, 0, KEY))),
            new Message.Write(1, 2, AT, Siblings.of(Version.put(1, 1, -1, 0, KEY))),
            new Message.Write(1, 2, AT, Siblings.of(Version.put(1, 1, 1, -2, KEY))),
            new Message.Write(1, 2, new RoutedKey(9, 7, 3, new byte[70_000]), record()),
            new Message.Write(1, 2, new RoutedKey(0, 7, 3, KEY), record()),
            new Message.Write(1, 2, new RoutedKey(65_536, 7, 3, KEY), record()),
            new Message.Write(1, 2, new RoutedKey(9, 16_384, 3, KEY), record()),
            new Message.Superseded(1, new Rank(Stamp.put(1L << 62, 1), 1, 4)),
            new Message.Clock(1, 2, true, new DotSet(), Stamp.put(-1, 1), null, false),
            new Message.Missing(1, 2, 3, new DotSet(), new byte[] {-1}),
            forward(new Update.Put(KEY, -2, Update.Condition.NONE, false)),
            forward(new Update.Expire(-1, Update.ExpiryCondition.NONE)));
    for (Message message : wrong) {
      assertThrows(
          DecodeException.class,
          () -> MessageCodec.decode(new ByteReader(encoded(message))),
          message::toString);
    }
  }

  @Test
  void theFormatStaysAsItIs() {
    assertEquals(
        "44070100000000000000010209ff7f03030100ff30010601fffffff9ac021000"
            + "000000000000fffffff7070380909282e733030100ff00",
        java.util.HexFormat.of().formatHex(encoded(all().getFirst())));
  }

  @Test
  void messagesOfEarlierFormatsAreRefusedByName() throws IOException {
    for (int format = 4; format < 7; format++) {
      ByteReader golden = new ByteReader(Golden.read("messages-" + format));
      for (int left = golden.readCount(1); left > 0; left--) {
        byte[] message = golden.readBlob();
        assertRefused(message, "kind DATA and format " + format);
      }
      golden.expectEnd();
    }
    byte[] bare = encoded(all().getFirst());
    bare[0] = 3;
    assertRefused(bare, "format 3");
    byte[] record = record().encoded();
    record[0] = 0x20;
    DecodeException refused =
        assertThrows(DecodeException.class, () -> Siblings.decode(new ByteReader(record)));
    assertTrue(
        refused.getMessage().contains("format 2; this version reads format 3"),
        refused.getMessage());
  }

  private static void assertRefused(byte[] message, String why) {
    String told =
        assertThrows(DecodeException.class, () -> MessageCodec.decode(new ByteReader(message)))
            .getMessage();
    assertTrue(told.contains(why), told);
  }
}
