package dev.tern.gateway.riak;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Two buckets never share a key, and properties are never taken for a value.
class BucketKeyTest {
  private static byte[] bytes(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private static String joined(String bucket, String key) {
    return new String(BucketKey.of(bytes(bucket), bytes(key)), ISO_8859_1);
  }

  @Test
  void theBytes() {
    assertEquals("\u0001bk", joined("b", "k"));
    assertEquals("\u0002ab", joined("ab", ""));
    String longest = "x".repeat(200);
    assertEquals("\u00c8\u0001" + longest + "k", joined(longest, "k"));
    assertArrayEquals(bytes("\0b"), BucketKey.properties(bytes("b")));
    assertArrayEquals(new byte[] {0}, BucketKey.properties(new byte[0]));
  }

  @Test
  void bucketAndKeyComeBack() {
    for (int length : new int[] {1, 2, 127, 128, 129, 16_383, 16_384}) {
      byte[] bucket = bytes("b".repeat(length));
      byte[] key = bytes("key");
      byte[] joined = BucketKey.of(bucket, key);
      assertArrayEquals(bucket, BucketKey.bucket(joined));
      assertArrayEquals(key, BucketKey.key(joined, BucketKey.prefix(bucket)));
    }
  }

  @Test
  void noTwoPairsAreOneKey() {
    TreeSet<String> keys = new TreeSet<>();
    String[] texts = {"", "a", "b", "aa", "ab", "\u0001", "\u0001a", "\0", "a\0"};
    int pairs = 0;
    for (String bucket : texts) {
      for (String key : texts) {
        if (!bucket.isEmpty()) {
          keys.add(joined(bucket, key));
          pairs++;
        }
      }
    }
    for (String bucket : texts) {
      keys.add(new String(BucketKey.properties(bytes(bucket)), ISO_8859_1));
      pairs++;
    }
    assertEquals(pairs, keys.size());
  }

  @Test
  void whatIsNoKeyOfABucketIsNone() {
    assertNull(BucketKey.bucket(new byte[0]));
    assertNull(BucketKey.bucket(BucketKey.properties(bytes("b"))));
    assertNull(BucketKey.bucket(bytes("\u0005abc")), "shorter than its bucket");
    assertNull(BucketKey.bucket(bytes("\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")));
    assertNull(BucketKey.key(bytes("\u0001bk"), BucketKey.prefix(bytes("c"))));
  }
}
