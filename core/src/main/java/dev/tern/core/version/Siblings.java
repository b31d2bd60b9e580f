package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A record: the versions of one key that no other replaces, and the dots that they replaced. What
/// a replica stores and what travels between replicas. Immutable.
///
/// Dotted version vectors (Preguiça et al., 2010) kept once a replica instead of once a key
/// (Gonçalves et al., "Concise Server-Wide Causality Management", 2015): a replica that has a dot
/// in its clock and no version of that dot in the key's record knows that the version was replaced.
/// So of the context only what the clock does not say is stored ([#stripped]), and what leaves the
/// replica carries the clock with it ([#filled]). At rest a key costs one dot.
///
/// In a last-write-wins keyspace there is one version and no context.
///
/// Invariants: newest first, by stamp and dot ([Version#compare]); no dot twice.
///
/// Encoded ([RecordForm#FORMAT] 3):
///
/// ```
///   u8  form = 30: high nibble the format, low nibble 0 for versions
///   varint siblings
///   per sibling:
///     u8  flags: 1 deleted, 2 has an expiry, 4 inherited stamp, 8 delete of what expired,
///                80 has an extension
///     u8  type of the value, see ValueType           unless flag 1
///     u32 replica id    varint counter    u64 time
///     u32 origin        varint term       varint count     if flag 4
///     varint expiry milliseconds          if flag 2
///     blob value                          unless flag 1
///     blob extension                      if flag 80; at most Version.MAX_EXTENSION_BYTES
///   context, as DotSet
/// ```
///
/// Without flag 4 the stamp's origin is the replica, its term and its count are 0. An extension is
/// what a later version of Tern says of a write: a replica that does not understand it keeps it,
/// hashes it and passes it on, as all replicas must come to the same bytes. So only what changes
/// neither order nor merging nor who sees a value may stand there; anything else is a new format.
public final class Siblings {
  /// Versions of one key; a replica refuses writes of clients that would make more. Writes that are
  /// minted at several replicas at a time can come to more together.
  public static final int MAX = 1_000;

  private static final DotSet NOTHING = new DotSet();

  private static final Comparator<Version> BY_DOT =
      Comparator.comparingInt(Version::replica).thenComparingLong(Version::counter);

  private final Version[] versions;

  /// Never changed after construction.
  private final DotSet context;

  private Siblings(Version[] versions, DotSet context) {
    assert isOrdered(versions) : "versions are not newest first, or a dot is there twice";
    this.versions = versions;
    this.context = context;
  }

  /// A version alone, as in a last-write-wins keyspace.
  public static Siblings of(Version version) {
    return new Siblings(new Version[] {version}, NOTHING);
  }

  /// A write over a record.
  ///
  /// @param base what is there, null for nothing
  /// @param replaced the dots that the writer has seen
  /// @param fresh the new version, of a dot never used before
  public static Siblings written(@Nullable Siblings base, DotSet replaced, Version fresh) {
    List<Version> kept = new ArrayList<>();
    kept.add(fresh);
    DotSet context = replaced.copy();
    if (base != null) {
      context.addAll(base.context);
      for (Version version : base.versions) {
        if (!replaced.contains(version.replica(), version.counter())) {
          kept.add(version);
        }
      }
    }
    return sorted(kept, context);
  }

  /// What is left of two records of one key: each version that the other has too, or has not seen.
  /// Both must be filled.
  public static Siblings merged(Siblings a, Siblings b) {
    List<Version> kept = new ArrayList<>();
    for (Version version : a.versions) {
      if (b.has(version) || !b.context.contains(version.replica(), version.counter())) {
        kept.add(version);
      }
    }
    for (Version version : b.versions) {
      if (!a.has(version) && !a.context.contains(version.replica(), version.counter())) {
        kept.add(version);
      }
    }
    DotSet context = a.context.copy();
    context.addAll(b.context);
    return sorted(kept, context);
  }

  /// All versions of two records of one key, whatever their contexts say, of two with one dot the
  /// one with the greater bytes: for a record that lost some. `a` itself if nothing is missing
  /// there.
  public static Siblings united(@Nullable Siblings a, Siblings b) {
    if (a == null) {
      return b;
    }
    List<Version> all = new ArrayList<>();
    boolean changed = false;
    for (Version mine : a.versions) {
      Version theirs = b.version(mine.replica(), mine.counter());
      boolean lost = theirs != null && theirs.hasLostTo(mine);
      all.add(lost ? theirs : mine);
      changed |= lost;
    }
    for (Version theirs : b.versions) {
      if (!a.has(theirs)) {
        all.add(theirs);
        changed = true;
      }
    }
    DotSet context = a.context.copy();
    context.addAll(b.context);
    return changed ? sorted(all, context) : a;
  }

  /// The stamp of the version of a dot that is here.
  public Stamp stampOf(int replica, long counter) {
    return java.util.Objects.requireNonNull(version(replica, counter)).stamp();
  }

  private @Nullable Version version(int replica, long counter) {
    for (Version version : versions) {
      if (version.isDot(replica, counter)) {
        return version;
      }
    }
    return null;
  }

  private static Siblings sorted(List<Version> versions, DotSet context) {
    Version[] array = versions.toArray(new Version[0]);
    java.util.Arrays.sort(array, (x, y) -> Version.compare(y, x));
    return new Siblings(array, context);
  }

  /// The record of a key that has none here: it has seen what the clock says now.
  public static Siblings nothing(DotView clock) {
    return new Siblings(new Version[0], clock.copy());
  }

  /// This with all that a replica's clock has seen in its context.
  public Siblings filled(DotView clock) {
    DotSet full = clock.copy();
    full.addAll(context);
    return new Siblings(versions, full);
  }

  /// This without what a replica's clock says anyway.
  public Siblings stripped(DotView clock) {
    return context.isEmpty() ? this : new Siblings(versions, context.minus(clock));
  }

  /// This without the versions of some dots; null if none is left.
  public @Nullable Siblings without(DotSet dots) {
    List<Version> kept = new ArrayList<>();
    for (Version version : versions) {
      if (!dots.contains(version.replica(), version.counter())) {
        kept.add(version);
      }
    }
    return kept.isEmpty() ? null : new Siblings(kept.toArray(new Version[0]), context);
  }

  /// This without its deletes; null if nothing else is here.
  public @Nullable Siblings withoutDeletes() {
    DotSet deletes = new DotSet();
    for (Version version : versions) {
      if (version.value() == null) {
        deletes.add(version.replica(), version.counter());
      }
    }
    return deletes.isEmpty() ? this : without(deletes);
  }

  /// What a reader has seen who was given this: a write with it as its context replaces all of it.
  public DotSet seen() {
    DotSet seen = context.copy();
    seen.addAll(dots());
    return seen;
  }

  /// The dots of the versions.
  public DotSet dots() {
    DotSet dots = new DotSet();
    for (Version version : versions) {
      dots.add(version.replica(), version.counter());
    }
    return dots;
  }

  public int count() {
    return versions.length;
  }

  public Version get(int index) {
    return versions[index];
  }

  /// The one that wins where the last write does.
  ///
  /// @throws ArrayIndexOutOfBoundsException if there is none
  public Version newest() {
    return versions[0];
  }

  /// Bytes of all values.
  public int valueBytes() {
    int bytes = 0;
    for (Version version : versions) {
      byte[] value = version.value();
      bytes += value == null ? 0 : value.length;
    }
    return bytes;
  }

  public DotView context() {
    return context;
  }

  public boolean isEmpty() {
    return versions.length == 0;
  }

  private boolean has(Version version) {
    return has(version.replica(), version.counter());
  }

  /// Whether a version of that dot is here.
  public boolean has(int replica, long counter) {
    for (Version mine : versions) {
      if (mine.isDot(replica, counter)) {
        return true;
      }
    }
    return false;
  }

  /// Whether a version has a value, expired or not.
  public boolean hasValue() {
    for (Version version : versions) {
      if (version.value() != null) {
        return true;
      }
    }
    return false;
  }

  /// Whether time alone will end it: it has a value, and each of its values has an expiry.
  public boolean expires() {
    boolean expires = false;
    for (Version version : versions) {
      if (version.value() != null) {
        if (version.expiryMillis() == 0) {
          return false;
        }
        expires = true;
      }
    }
    return expires;
  }

  /// Whether a reader at that moment sees a value.
  public boolean liveAt(long wallMillis) {
    for (Version version : versions) {
      if (version.liveAt(wallMillis)) {
        return true;
      }
    }
    return false;
  }

  /// Whether both hold the versions of the same dots.
  public boolean sameVersions(@Nullable Siblings other) {
    if (other == null || other.versions.length != versions.length) {
      return false;
    }
    for (Version version : versions) {
      if (!other.has(version)) {
        return false;
      }
    }
    return true;
  }

  /// A hash of the dots of the versions: alike if the versions are.
  public long digest() {
    long sum = 0;
    for (Version version : versions) {
      long mixed = version.counter() * 0x9e3779b97f4a7c15L ^ (long) version.replica() << 17;
      mixed = (mixed ^ (mixed >>> 31)) * 0xbf58476d1ce4e5b9L;
      sum += mixed ^ (mixed >>> 29);
    }
    return sum;
  }

  public void encode(ByteWriter out) {
    RecordForm.VERSIONS.encode(out);
    out.writeVarInt(versions.length);
    for (Version version : versions) {
      version.encode(out);
    }
    context.encode(out);
  }

  /// The bytes that [#encode] writes.
  public byte[] encoded() {
    ByteWriter out = new ByteWriter();
    encode(out);
    return out.toByteArray();
  }

  private static boolean isOrdered(Version[] versions) {
    for (int i = 1; i < versions.length; i++) {
      if (Version.compare(versions[i - 1], versions[i]) <= 0) {
        return false;
      }
    }
    return versions.length < 2 || !repeatsDot(versions);
  }

  private static boolean repeatsDot(Version[] versions) {
    Version[] byDot = versions.clone();
    Arrays.sort(byDot, BY_DOT);
    for (int i = 1; i < byDot.length; i++) {
      if (byDot[i].sameAs(byDot[i - 1])) {
        return true;
      }
    }
    return false;
  }

  /// @throws DecodeException if the bytes are no record of a format known here
  public static Siblings decode(ByteReader in) {
    RecordForm.VERSIONS.expect(in);
    int count = in.readLength();
    if (count > in.remaining() / Version.LEAST_BYTES) {
      throw new DecodeException("a record with " + count + " siblings");
    }
    Version[] versions = new Version[count];
    for (int i = 0; i < count; i++) {
      versions[i] = Version.decode(in);
      if (i > 0 && Version.compare(versions[i - 1], versions[i]) <= 0) {
        throw new DecodeException("a record whose versions are not newest first");
      }
    }
    if (count > 1 && repeatsDot(versions)) {
      throw new DecodeException("a record with one dot twice");
    }
    DotSet context = DotSet.decode(in);
    return new Siblings(versions, context.isEmpty() ? NOTHING : context);
  }

  /// The record that bytes are, null for none.
  public static @Nullable Siblings decode(byte @Nullable [] bytes) {
    return bytes == null ? null : decode(new ByteReader(bytes));
  }

  @Override
  public String toString() {
    return java.util.Arrays.toString(versions) + " after " + context;
  }
}
