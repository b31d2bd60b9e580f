package dev.tern.core.quorum;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.version.DotSet;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// What a causal context is good for: one key of one keyspace of one cluster. Seals contexts for
/// clients and opens them again.
///
/// A context names dots of the clock of the key's partition. Dots of another partition have the
/// same shape and other meanings: taken for dots of this one they would replace writes that the
/// client has not seen, and writes to come. So the bytes that a client carries end in a tag over
/// the dots and the scope, and a context of another key, keyspace or cluster is refused. The
/// keyspace's id and the key determine the replica group and the partition.
///
/// Sealed bytes: the set of dots as [DotSet] encodes it, u32 the first four bytes of the SHA-256 of
/// u32 keyspace, blob key and the encoded set, u32 the same of the cluster id; the last is 0 while
/// the cluster has none, in the first moments of its life. The tag finds out damage, too. It is no
/// secret: anybody can compute it.
///
/// @param key shared, do not change
record ContextScope(ClusterId cluster, int keyspace, byte[] key) {
  /// Of the two tags together.
  static final int TAG_BYTES = 2 * Integer.BYTES;

  /// The bytes that clients carry.
  byte[] seal(DotSet seen) {
    ByteWriter out = new ByteWriter();
    seen.encode(out);
    int tag = tag(out.array(), out.length());
    return out.writeInt(tag).writeInt(clusterTag()).toByteArray();
  }

  /// The set that sealed bytes hold.
  ///
  /// @throws DecodeException if they were not sealed for this key, or were damaged
  DotSet unseal(byte[] sealed) {
    if (sealed.length == 0) {
      return new DotSet();
    }
    int length = sealed.length - TAG_BYTES;
    if (length < 0 || !fits(sealed, length)) {
      throw new DecodeException(
          "it is of another key, keyspace or cluster, or was damaged; read this key again");
    }
    return opened(sealed);
  }

  /// The set that sealed bytes hold, which [#unseal] has let pass; none for no bytes.
  static DotSet opened(byte[] sealed) {
    if (sealed.length == 0) {
      return new DotSet();
    }
    ByteReader in = new ByteReader(sealed, 0, sealed.length - TAG_BYTES);
    DotSet set = DotSet.decode(in);
    in.expectEnd();
    return set;
  }

  private boolean fits(byte[] sealed, int length) {
    ByteReader tags = new ByteReader(sealed, length, TAG_BYTES);
    boolean ofKey = tags.readInt() == tag(sealed, length);
    int theirs = tags.readInt();
    int ours = clusterTag();
    return ofKey && (theirs == ours || theirs == 0 || ours == 0);
  }

  /// Of the first bytes of an encoded set.
  int tag(byte[] dots, int length) {
    ByteWriter scope = new ByteWriter(16 + key.length);
    scope.writeInt(keyspace).writeBlob(key);
    MessageDigest digest = sha256();
    digest.update(scope.array(), 0, scope.length());
    digest.update(dots, 0, length);
    return new ByteReader(digest.digest()).readInt();
  }

  /// 0 if the cluster has no id yet.
  private int clusterTag() {
    if (!cluster.known()) {
      return 0;
    }
    byte[] id = new ByteWriter(16).writeLong(cluster.high()).writeLong(cluster.low()).toByteArray();
    return new ByteReader(sha256().digest(id)).readInt() | 1;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
