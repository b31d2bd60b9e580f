package dev.tern.core.wire;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.Slots;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The bytes of a [Message], format 7: the two bytes of [FrameKind#DATA], then `u8 type, fields`.
/// Ids are u64, epochs and counts varints, ranks as [Rank] says, keys and values blobs, an optional
/// blob or record is led by a u8 that is 0 where it is absent. A routed key is as [RoutedKey] says.
///
/// | type | message | fields |
/// |---|---|---|
/// | 1 | Write | id epoch routed record |
/// | 2 | Read | id epoch routed flags ballot? rank? |
/// | 3 | Forward | id epoch routed n r+3 w+3 pr pw u8 sloppy timeout update |
/// | 4 | Scan | id epoch keyspace cursor limit |
/// | 5 | Count | id epoch keyspace, blob partitions: bit p % 8 of byte p / 8, the last byte not 0 |
/// | 6 | retired |  |
/// | 7 | Hold | id epoch routed target record |
/// | 8 | ReadHeld | id epoch routed target |
/// | 9 | Write of a leader | id epoch routed ballot record |
/// | 16 | Written | id, u8 pressure |
/// | 17 | Superseded | id rank |
/// | 18 | Value | id record? |
/// | 19 | Digest | id rank |
/// | 20 | Updated | id outcome |
/// | 21 | Scanned | id next count (slot hash key rank live)* |
/// | 22 | Counted | id keys expiring bytes |
/// | 23 | Refused | id reason retry message needed answered (missing)* |
/// | 24 | Outvoted | id ballot |
/// | 32 | Clock | group partition u8 dots rank (dots of 2) (ballot of 8) |
/// | 33 | Missing | group partition id dots cursor? |
/// | 34 | Repaired | group partition id clock covered unread next answer (slot keyspace key rec)* |
/// | 35 | Root | group partition id root |
/// | 36 | Segments | group partition id u8 known n (hash)* |
/// | 37 | Listed | group partition id u8 family from to n (hash)* |
/// | 38 | Barrier | group partition epoch dots |
/// | 39 | AskChunk | group partition id session cursor |
/// | 40 | Chunk | group partition id answer session clock trimmed rank u8 family rows next |
/// | 48 | AskHeld | id n (group partition)* |
/// | 49 | Holds | id states |
/// | 50 | AskHeld | id epoch n (group partition)* |
///
/// The byte of Clock: 1 wanted, 2 trimmed, 4 forgotten, 8 a ballot follows. Flags of Read: 1
/// digest, 2 alone, 4 a ballot follows, 8 confirmed, 16 the leader's floor follows.
public final class MessageCodec {
  /// A family, the key of a row, of which that of an expiry is the longest, and one byte to stand
  /// behind it.
  private static final int MAX_PLACE_BYTES = 2 * Keyspace.MAX_KEY_BYTES + 64;

  private static final SnapshotChunk.Answer[] CHUNK_ANSWERS = SnapshotChunk.Answer.values();

  /// Of elements of lists, at least.
  private static final int LEAST_RECORD_BYTES = 6;

  private static final int LEAST_ASKED_BYTES = 5;
  private static final int LEAST_SIBLING_BYTES = 4;
  private static final int LEAST_SCANNED_BYTES = 21;
  private static final Unanswered.Reason[] REASONS = Unanswered.Reason.values();
  private static final UpdateOutcome.Why[] WHYS = UpdateOutcome.Why.values();
  private static final Update.Condition[] CONDITIONS = Update.Condition.values();
  private static final Update.ExpiryCondition[] EXPIRY_CONDITIONS = Update.ExpiryCondition.values();

  private static final RepairPage.Answer[] ANSWERS = RepairPage.Answer.values();
  private static final Update.Match[] MATCHES = Update.Match.values();

  private MessageCodec() {}

  /// Appends a message.
  public static void encode(Message message, ByteWriter out) {
    FrameKind.DATA.lead(out);
    switch (message) {
      case Message.Write m -> write(m, out);
      case Message.Hold m -> {
        m.record().encode(keyed(out, 7, m).writeVarInt(m.target()));
      }
      case Message.ReadHeld m -> keyed(out, 8, m).writeVarInt(m.target());
      case Message.Read m -> read(m, out);
      case Message.Forward m -> forward(m, out);
      case Message.Scan m ->
          request(out, 4, m, m.keyspace()).writeVarLong(m.cursor()).writeVarInt(m.limit());
      case Message.Count m ->
          request(out, 5, m, m.keyspace()).writeBlob(m.partitions().toByteArray());
      case Message.Written m -> out.writeByte(16).writeLong(m.id()).writeByte(m.pressure());
      case Message.Superseded m -> m.by().encode(out.writeByte(17).writeLong(m.id()));
      case Message.Value m -> {
        out.writeByte(18).writeLong(m.id()).writeByte(m.record() == null ? 0 : 1);
        if (m.record() != null) {
          m.record().encode(out);
        }
      }
      case Message.Digest m -> m.rank().encode(out.writeByte(19).writeLong(m.id()));
      case Message.Updated m -> {
        out.writeByte(20).writeLong(m.id());
        outcome(m.outcome(), out);
      }
      case Message.Scanned m -> page(m, out);
      case Message.Counted m -> count(m.count(), out.writeByte(22).writeLong(m.id()));
      case Message.Clock m -> clock(m, out);
      case Message.Barrier m -> m.clock().encode(repair(out, 38, m).writeVarLong(m.epoch()));
      case Message.Missing m -> {
        m.dots().encode(repair(out, 33, m).writeLong(m.id()));
        out.writeByte(m.cursor() == null ? 0 : 1);
        if (m.cursor() != null) {
          out.writeBlob(m.cursor());
        }
      }
      case Message.Repaired m -> page(m.page(), repair(out, 34, m).writeLong(m.id()));
      case Message.Root m -> repair(out, 35, m).writeLong(m.id()).writeLong(m.root());
      case Message.Segments m ->
          hashes(m.hashes(), repair(out, 36, m).writeLong(m.id()).writeByte(m.known() ? 1 : 0));
      case Message.Listed m -> {
        TreeRange range = m.range();
        repair(out, 37, m).writeLong(m.id()).writeByte(range.family());
        hashes(m.hashes(), out.writeBlob(range.from()).writeBlob(range.to()));
      }
      case Message.AskChunk m ->
          repair(out, 39, m).writeLong(m.id()).writeLong(m.session()).writeBlob(m.cursor());
      case Message.Chunk m -> chunk(m.chunk(), repair(out, 40, m).writeLong(m.id()));
      case Message.Outvoted m -> out.writeByte(24).writeLong(m.id()).writeVarLong(m.by());
      case Message.AskHeld m -> asked(m, out);
      case Message.Holds m -> out.writeByte(49).writeLong(m.id()).writeBlob(m.states());
      case Message.Refused m -> {
        out.writeByte(23).writeLong(m.id());
        refused(m.why(), out);
      }
    }
  }

  private static void clock(Message.Clock m, ByteWriter out) {
    int trimmed = m.trimmed() == null ? 0 : 2;
    int forgotten = m.forgotten() ? 4 : 0;
    int led = m.ballot() == 0 ? 0 : 8;
    repair(out, 32, m).writeByte((m.wanted() ? 1 : 0) | trimmed | forgotten | led);
    m.clock().encode(out);
    Rank.absent(m.floor()).encode(out);
    if (m.trimmed() != null) {
      m.trimmed().encode(out);
    }
    if (m.ballot() != 0) {
      out.writeVarLong(m.ballot());
    }
  }

  private static void write(Message.Write m, ByteWriter out) {
    keyed(out, m.ballot() == 0 ? 1 : 9, m);
    if (m.ballot() != 0) {
      out.writeVarLong(m.ballot());
    }
    m.record().encode(out);
  }

  private static void read(Message.Read m, ByteWriter out) {
    int flags = (m.digest() ? 1 : 0) | (m.alone() ? 2 : 0) | (m.ballot() == 0 ? 0 : 4);
    boolean floored = !m.floor().equals(Stamp.NONE);
    flags |= (m.confirmed() ? 8 : 0) | (floored ? 16 : 0);
    keyed(out, 2, m).writeByte(flags);
    if (m.ballot() != 0) {
      out.writeVarLong(m.ballot());
    }
    if (floored) {
      Rank.absent(m.floor()).encode(out);
    }
  }

  private static void asked(Message.AskHeld m, ByteWriter out) {
    out.writeByte(m.epoch() == 0 ? 48 : 50).writeLong(m.id());
    if (m.epoch() != 0) {
      out.writeVarLong(m.epoch());
    }
    out.writeVarInt(m.about().size());
    m.about().forEach(each -> out.writeInt(each.group()).writeVarInt(each.partition()));
  }

  private static void forward(Message.Forward m, ByteWriter out) {
    keyed(out, 3, m);
    Level level = m.level();
    out.writeVarInt(level.n()).writeVarInt(level.r() - Level.ATOMIC);
    out.writeVarInt(level.w() - Level.ATOMIC);
    out.writeVarInt(level.pr()).writeVarInt(level.pw()).writeByte(level.sloppy() ? 1 : 0);
    out.writeVarInt(level.timeoutMillis());
    update(m.update(), out);
  }

  private static List<Message.Asked> asked(ByteReader in) {
    int count = in.readCount(LEAST_ASKED_BYTES);
    List<Message.Asked> about = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      about.add(new Message.Asked(in.readInt(), partition(in)));
    }
    return about;
  }

  private static Message led(ByteReader in) {
    long id = in.readLong();
    long epoch = in.readPositiveVarLong();
    RoutedKey at = RoutedKey.decode(in);
    long ballot = ballot(in);
    return new Message.Write(id, epoch, at, Siblings.decode(in), ballot);
  }

  private static Message read(ByteReader in) {
    long id = in.readLong();
    long epoch = in.readPositiveVarLong();
    RoutedKey at = RoutedKey.decode(in);
    int flags = flags(in, 31);
    long ballot = (flags & 4) != 0 ? ballot(in) : 0;
    boolean digest = (flags & 1) != 0;
    boolean alone = (flags & 2) != 0;
    boolean confirmed = (flags & 8) != 0;
    Stamp floor = (flags & 16) != 0 ? Rank.decode(in).stamp() : Stamp.NONE;
    return new Message.Read(id, epoch, at, digest, alone, confirmed, ballot, floor);
  }

  private static Message clock(ByteReader in) {
    int group = in.readInt();
    int partition = partition(in);
    int flags = flags(in, 15);
    boolean forgotten = (flags & 4) != 0;
    DotSet clock = DotSet.decode(in);
    Stamp floor = Rank.decode(in).stamp();
    DotSet trimmed = (flags & 2) != 0 ? DotSet.decode(in) : null;
    boolean wanted = (flags & 1) != 0;
    long ballot = (flags & 8) != 0 ? ballot(in) : 0;
    return new Message.Clock(group, partition, wanted, clock, floor, trimmed, forgotten, ballot);
  }

  private static long ballot(ByteReader in) {
    long ballot = in.readPositiveVarLong();
    if (ballot >= Stamp.MAX_TERM) {
      throw new DecodeException("a ballot of " + ballot + ", which no leader has");
    }
    return ballot;
  }

  private static int flags(ByteReader in, int most) {
    int flags = in.readUnsignedByte();
    if (flags > most) {
      throw new DecodeException("flags " + flags);
    }
    return flags;
  }

  /// @throws DecodeException if the bytes are no message of format 7
  public static Message decode(ByteReader in) {
    FrameKind.DATA.expect(in);
    int type = in.readUnsignedByte();
    Message message =
        switch (type) {
          case 1 ->
              new Message.Write(
                  in.readLong(),
                  in.readPositiveVarLong(),
                  RoutedKey.decode(in),
                  Siblings.decode(in));
          case 2 -> read(in);
          case 3 -> forward(in);
          case 4 ->
              new Message.Scan(
                  in.readLong(),
                  in.readPositiveVarLong(),
                  keyspace(in),
                  cursor(in),
                  in.readVarIntIn(0, Integer.MAX_VALUE));
          case 5 ->
              new Message.Count(
                  in.readLong(), in.readPositiveVarLong(), keyspace(in), partitions(in));
          case 7 -> hold(in);
          case 8 -> readHeld(in);
          case 9 -> led(in);
          case 16 -> new Message.Written(in.readLong(), in.readUnsignedByte());
          case 17 -> new Message.Superseded(in.readLong(), Rank.decode(in));
          case 18 -> new Message.Value(in.readLong(), in.readFlag() ? Siblings.decode(in) : null);
          case 19 -> new Message.Digest(in.readLong(), Rank.decode(in));
          case 20 -> new Message.Updated(in.readLong(), outcome(in));
          case 21 -> page(in);
          case 22 -> new Message.Counted(in.readLong(), count(in));
          case 23 -> new Message.Refused(in.readLong(), refused(in));
          case 24 -> new Message.Outvoted(in.readLong(), ballot(in));
          case 32 -> clock(in);
          case 33 ->
              new Message.Missing(
                  in.readInt(),
                  partition(in),
                  in.readLong(),
                  DotSet.decode(in),
                  in.readFlag() ? place(in) : null);
          case 34 ->
              new Message.Repaired(in.readInt(), partition(in), in.readLong(), repairPage(in));
          case 35 -> new Message.Root(in.readInt(), partition(in), in.readLong(), in.readLong());
          case 36 ->
              new Message.Segments(
                  in.readInt(), partition(in), in.readLong(), in.readFlag(), hashes(in));
          case 37 ->
              new Message.Listed(in.readInt(), partition(in), in.readLong(), range(in), hashes(in));
          case 38 ->
              new Message.Barrier(
                  in.readInt(), partition(in), in.readPositiveVarLong(), DotSet.decode(in));
          case 39 ->
              new Message.AskChunk(
                  in.readInt(), partition(in), in.readLong(), in.readLong(), place(in));
          case 40 -> new Message.Chunk(in.readInt(), partition(in), in.readLong(), chunk(in));
          case 48 -> new Message.AskHeld(in.readLong(), 0, asked(in));
          case 49 -> new Message.Holds(in.readLong(), in.readBlob());
          case 50 -> new Message.AskHeld(in.readLong(), in.readPositiveVarLong(), asked(in));
          default -> throw new DecodeException("a message of type " + type);
        };
    in.expectEnd();
    return message;
  }

  private static int keyspace(ByteReader in) {
    return in.readVarIntIn(0, Integer.MAX_VALUE);
  }

  private static int partition(ByteReader in) {
    return in.readVarIntIn(0, Slots.COUNT - 1);
  }

  private static int member(ByteReader in) {
    return in.readVarIntIn(1, Member.MAX_NUMBER);
  }

  private static int slot(ByteReader in) {
    return in.readVarIntIn(0, Slots.COUNT - 1);
  }

  /// Of a scan, up to behind the last slot.
  private static long cursor(ByteReader in) {
    long cursor = in.readPositiveVarLong();
    if (cursor > ScanCursor.END) {
      throw new DecodeException("a cursor of a scan behind the last slot: " + cursor);
    }
    return cursor;
  }

  /// Of a rebuild: empty, or a family of records and a storage key.
  private static byte[] place(ByteReader in) {
    byte[] place = in.readBlob();
    if (place.length > MAX_PLACE_BYTES || place.length > 0 && place[0] < 0) {
      throw new DecodeException("a cursor of a rebuild of " + place.length + " bytes");
    }
    return place;
  }

  private static TreeRange range(ByteReader in) {
    return new TreeRange(in.readUnsignedByte(), in.readBlob(), in.readBlob());
  }

  /// Of an update: also [Update#KEEP_EXPIRY].
  private static long expiry(ByteReader in) {
    long expiry = in.readVarLong();
    if (expiry < Update.KEEP_EXPIRY) {
      throw new DecodeException("an expiry of " + expiry);
    }
    return expiry;
  }

  private static ByteWriter request(
      ByteWriter out, int type, Message.Request message, int keyspace) {
    out.writeByte(type).writeLong(message.id()).writeVarLong(message.epoch());
    return out.writeVarInt(keyspace);
  }

  private static ByteWriter keyed(ByteWriter out, int type, Message.Keyed message) {
    out.writeByte(type).writeLong(message.id()).writeVarLong(message.epoch());
    message.at().encode(out);
    return out;
  }

  private static Message.Hold hold(ByteReader in) {
    long id = in.readLong();
    long epoch = in.readPositiveVarLong();
    RoutedKey at = RoutedKey.decode(in);
    int target = member(in);
    return new Message.Hold(id, epoch, at, Siblings.decode(in), target);
  }

  private static ByteWriter repair(ByteWriter out, int type, Message.Repair message) {
    return out.writeByte(type).writeInt(message.group()).writeVarInt(message.partition());
  }

  private static void hashes(long[] hashes, ByteWriter out) {
    out.writeVarInt(hashes.length);
    for (long hash : hashes) {
      out.writeLong(hash);
    }
  }

  private static long[] hashes(ByteReader in) {
    long[] hashes = new long[in.readCount(Long.BYTES)];
    for (int i = 0; i < hashes.length; i++) {
      hashes[i] = in.readLong();
    }
    return hashes;
  }

  private static void count(CountOutcome.Count count, ByteWriter out) {
    out.writeVarLong(count.keys()).writeVarLong(count.expiring()).writeVarLong(count.bytes());
  }

  private static BitSet partitions(ByteReader in) {
    byte[] bits = in.readBlob();
    int last = bits.length - 1;
    if (bits.length > Slots.COUNT / Byte.SIZE || last >= 0 && bits[last] == 0) {
      throw new DecodeException("a set of partitions in %d bytes".formatted(bits.length));
    }
    return BitSet.valueOf(bits);
  }

  private static CountOutcome.Count count(ByteReader in) {
    return new CountOutcome.Count(
        in.readPositiveVarLong(), in.readPositiveVarLong(), in.readPositiveVarLong());
  }

  private static void page(RepairPage page, ByteWriter out) {
    page.clock().encode(out);
    page.covered().encode(out);
    page.unreadable().encode(out);
    out.writeBlob(page.next()).writeByte(page.answer().ordinal());
    out.writeVarInt(page.records().size());
    for (RepairPage.RepairRecord record : page.records()) {
      out.writeVarInt(record.slot()).writeVarInt(record.keyspace()).writeBlob(record.key());
      record.record().encode(out);
    }
  }

  private static RepairPage repairPage(ByteReader in) {
    DotSet clock = DotSet.decode(in);
    DotSet covered = DotSet.decode(in);
    DotSet unreadable = DotSet.decode(in);
    byte[] next = place(in);
    RepairPage.Answer answer = in.readOneOf(ANSWERS);
    int count = in.readCount(LEAST_RECORD_BYTES);
    List<RepairPage.RepairRecord> records = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      records.add(
          new RepairPage.RepairRecord(
              slot(in), keyspace(in), RoutedKey.decodeKey(in), Siblings.decode(in)));
    }
    return new RepairPage(clock, covered, unreadable, next, answer, records);
  }

  private static void chunk(SnapshotChunk chunk, ByteWriter out) {
    out.writeByte(chunk.answer().ordinal()).writeLong(chunk.session());
    chunk.clock().encode(out);
    chunk.trimmed().encode(out);
    Rank.absent(chunk.floor()).encode(out);
    out.writeByte(chunk.family()).writeBlob(chunk.rows()).writeBlob(chunk.next());
  }

  private static SnapshotChunk chunk(ByteReader in) {
    SnapshotChunk.Answer answer = in.readOneOf(CHUNK_ANSWERS);
    long session = in.readLong();
    DotSet clock = DotSet.decode(in);
    DotSet trimmed = DotSet.decode(in);
    Rank floor = Rank.decode(in);
    if (!floor.isAbsent()) {
      throw new DecodeException("a floor with a dot");
    }
    return new SnapshotChunk(
        answer,
        session,
        clock,
        trimmed,
        floor.stamp(),
        in.readUnsignedByte(),
        in.readBlob(),
        place(in));
  }

  private static Message.ReadHeld readHeld(ByteReader in) {
    long id = in.readLong();
    long epoch = in.readPositiveVarLong();
    RoutedKey at = RoutedKey.decode(in);
    return new Message.ReadHeld(id, epoch, at, member(in));
  }

  private static Message.Forward forward(ByteReader in) {
    long id = in.readLong();
    long epoch = in.readPositiveVarLong();
    RoutedKey at = RoutedKey.decode(in);
    Level level;
    try {
      int n = in.readVarInt();
      int r = in.readVarInt() + Level.ATOMIC;
      int w = in.readVarInt() + Level.ATOMIC;
      int pr = in.readVarInt();
      int pw = in.readVarInt();
      boolean sloppy = in.readFlag();
      level = new Level(n, r, w, pr, pw, 0, sloppy, in.readVarInt());
    } catch (IllegalArgumentException e) {
      throw new DecodeException("a level out of range");
    }
    return new Message.Forward(id, epoch, at, update(in), level);
  }

  private static void update(Update update, ByteWriter out) {
    switch (update) {
      case Update.Put u -> {
        out.writeByte(1).writeBlob(u.value()).writeVarLong(u.expiryMillis());
        out.writeByte(u.condition().ordinal()).writeByte(u.returnPrevious() ? 1 : 0);
      }
      case Update.Delete u -> out.writeByte(2).writeByte(u.returnPrevious() ? 1 : 0);
      case Update.Add u -> out.writeByte(3).writeLong(u.delta());
      case Update.AddDecimal u -> out.writeByte(4).writeString(u.delta());
      case Update.Append u -> out.writeByte(5).writeBlob(u.suffix());
      case Update.Expire u ->
          out.writeByte(6).writeVarLong(u.expiryMillis()).writeByte(u.condition().ordinal());
      case Update.Store u -> {
        out.writeByte(7).writeByte(u.type().number());
        if (u.value() != null) {
          out.writeBlob(u.value());
        }
        out.writeVarLong(u.expiryMillis()).writeBlob(u.context());
        out.writeByte(u.overwrites() ? 1 : 0);
        out.writeByte(u.match().ordinal()).writeByte(u.returnVersions() ? 1 : 0);
      }
    }
  }

  private static Update update(ByteReader in) {
    int type = in.readUnsignedByte();
    return switch (type) {
      case 1 -> new Update.Put(in.readBlob(), expiry(in), in.readOneOf(CONDITIONS), in.readFlag());
      case 2 -> new Update.Delete(in.readFlag());
      case 3 -> new Update.Add(in.readLong());
      case 4 -> new Update.AddDecimal(in.readString());
      case 5 -> new Update.Append(in.readBlob());
      case 6 -> new Update.Expire(in.readPositiveVarLong(), in.readOneOf(EXPIRY_CONDITIONS));
      case 7 -> store(in);
      default -> throw new DecodeException("an update of type " + type);
    };
  }

  private static Update store(ByteReader in) {
    ValueType type = ValueType.decodeOrNone(in);
    return new Update.Store(
        type,
        type == ValueType.NONE ? null : in.readBlob(),
        in.readPositiveVarLong(),
        in.readBlob(),
        in.readFlag(),
        in.readOneOf(MATCHES),
        in.readFlag());
  }

  private static void outcome(UpdateOutcome outcome, ByteWriter out) {
    switch (outcome) {
      case UpdateOutcome.Done o -> {
        int value = o.value() == null ? 0 : 4;
        out.writeByte(1).writeByte((o.existed() ? 1 : 0) | (o.applied() ? 2 : 0) | value);
        if (o.value() != null) {
          out.writeBlob(o.value());
        }
      }
      case UpdateOutcome.Rejected o -> out.writeByte(2).writeByte(o.why().ordinal());
      case Unanswered.Refused o -> {
        out.writeByte(3);
        refused(o, out);
      }
      case Unanswered.Unknown o -> out.writeByte(4).writeString(o.message());
      case UpdateOutcome.Stored o -> {
        out.writeByte(5).writeByte(o.applied() ? 1 : 0).writeByte(o.versions() == null ? 0 : 1);
        if (o.versions() != null) {
          versions(o.versions(), out);
        }
      }
    }
  }

  private static UpdateOutcome outcome(ByteReader in) {
    int type = in.readUnsignedByte();
    switch (type) {
      case 1 -> {
        int flags = in.readUnsignedByte();
        if (flags > 7) {
          throw new DecodeException("flags " + flags);
        }
        byte @Nullable [] value = (flags & 4) != 0 ? in.readBlob() : null;
        return new UpdateOutcome.Done((flags & 1) != 0, (flags & 2) != 0, value);
      }
      case 2 -> {
        return new UpdateOutcome.Rejected(in.readOneOf(WHYS));
      }
      case 3 -> {
        return refused(in);
      }
      case 4 -> {
        return new Unanswered.Unknown(in.readString());
      }
      case 5 -> {
        boolean applied = in.readFlag();
        return new UpdateOutcome.Stored(applied, in.readFlag() ? versions(in) : null);
      }
      default -> throw new DecodeException("an outcome of type " + type);
    }
  }

  private static void versions(Versions versions, ByteWriter out) {
    out.writeVarInt(versions.siblings().size());
    for (Versions.Sibling sibling : versions.siblings()) {
      out.writeString(sibling.id()).writeByte(sibling.value() == null ? 0 : 1);
      if (sibling.value() != null) {
        out.writeBlob(sibling.value());
      }
      out.writeVarLong(sibling.stamp()).writeVarLong(sibling.expiryMillis());
    }
    out.writeBlob(versions.context());
  }

  private static Versions versions(ByteReader in) {
    int count = in.readCount(LEAST_SIBLING_BYTES);
    List<Versions.Sibling> siblings = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      siblings.add(
          new Versions.Sibling(
              in.readString(),
              in.readFlag() ? in.readBlob() : null,
              in.readVarLong(),
              in.readVarLong()));
    }
    return new Versions(siblings, in.readBlob());
  }

  private static void refused(Unanswered.Refused why, ByteWriter out) {
    out.writeByte(why.reason().ordinal()).writeVarLong(why.retryAfterMillis());
    out.writeString(why.message());
    Unanswered.Shortfall shortfall = why.shortfall();
    out.writeVarInt(shortfall.needed()).writeVarInt(shortfall.answered());
    out.writeVarInt(shortfall.missing().size());
    shortfall.missing().forEach(out::writeVarInt);
  }

  private static Unanswered.Refused refused(ByteReader in) {
    Unanswered.Reason reason = in.readOneOf(REASONS);
    long retry = in.readPositiveVarLong();
    String message = in.readString();
    int needed = in.readVarIntIn(0, Member.MAX_NUMBER);
    int answered = in.readVarIntIn(0, Member.MAX_NUMBER);
    int count = in.readCount(1);
    List<Integer> missing = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      missing.add(member(in));
    }
    return new Unanswered.Refused(
        reason, message, retry, new Unanswered.Shortfall(needed, answered, missing));
  }

  private static void page(Message.Scanned message, ByteWriter out) {
    List<ScannedKey> keys = message.page().keys();
    out.writeByte(21).writeLong(message.id()).writeVarLong(message.page().next());
    out.writeVarInt(keys.size());
    for (ScannedKey key : keys) {
      out.writeVarInt(key.slot()).writeInt((int) key.hash()).writeBlob(key.key());
      key.rank().encode(out);
      out.writeByte(key.live() ? 1 : 0);
    }
  }

  private static Message page(ByteReader in) {
    long id = in.readLong();
    long next = cursor(in);
    int count = in.readCount(LEAST_SCANNED_BYTES);
    List<ScannedKey> keys = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int slot = slot(in);
      long hash = Integer.toUnsignedLong(in.readInt());
      byte[] key = RoutedKey.decodeKey(in);
      keys.add(new ScannedKey(slot, hash, key, Rank.decode(in), in.readFlag()));
    }
    return new Message.Scanned(id, new ScanPage(keys, next));
  }
}
