package dev.tern.core.quorum;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.version.DotSet;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/// What a causal context is good for: one key of one keyspace of one cluster. Seals contexts for
/// clients and opens them again.
///
/// A context names dots of the clock of the key's partition. Dots of another partition have the
/// same shape and other meanings: taken for dots of this one they would replace writes that the
/// client has not seen, and writes to come. So the bytes that a client carries end in a tag over
/// the dots and the scope, and a context of another key, keyspace or cluster is refused. The
/// keyspace's id and the key determine the replica group and the partition.
///
/// Sealed bytes: the set of dots as [DotSet] encodes it, then the first [#TAG_BYTES] bytes of the
/// SHA-256 of cluster id, u32 keyspace, blob key and the encoded set. The tag finds out damage,
/// too. It is no secret: who knows the cluster's id can compute it.
///
/// @param key shared, do not change
record ContextScope(ClusterId cluster, int keyspace, byte[] key) {
  /// Of a tag.
  static final int TAG_BYTES = 8;

  /// The bytes that clients carry.
  byte[] seal(DotSet seen) {
    ByteWriter out = new ByteWriter();
    seen.encode(out);
    return out.writeBytes(tag(out.array(), out.length())).toByteArray();
  }

  /// The set that sealed bytes hold.
  ///
  /// @throws DecodeException if they were not sealed for this key, or were damaged
  DotSet unseal(byte[] sealed) {
    if (sealed.length == 0) {
      return new DotSet();
    }
    int length = sealed.length - TAG_BYTES;
    if (length < 0
        || !Arrays.equals(tag(sealed, length), 0, TAG_BYTES, sealed, length, sealed.length)) {
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

  private byte[] tag(byte[] dots, int length) {
    ByteWriter scope = new ByteWriter(32 + key.length);
    scope.writeLong(cluster.high()).writeLong(cluster.low()).writeInt(keyspace).writeBlob(key);
    MessageDigest digest = sha256();
    digest.update(scope.array(), 0, scope.length());
    digest.update(dots, 0, length);
    return Arrays.copyOf(digest.digest(), TAG_BYTES);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
