package dev.tern.gateway.riak;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.core.keyspace.Versions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ContentsTest {
  private static final byte[] VALUE = "value".getBytes(US_ASCII);

  private static Fields.Message content() {
    byte[] pair = new Fields.Message().string(1, "name").string(2, "of it").encoded();
    byte[] link = new Fields.Message().string(1, "b").string(2, "k").string(3, "t").encoded();
    return new Fields.Message()
        .bytes(1, VALUE)
        .string(2, "text/plain")
        .bytes(6, link)
        .bytes(9, pair)
        .bytes(10, pair);
  }

  private static byte[] told(byte[] stored, boolean head) {
    Versions versions =
        new Versions(List.of(new Versions.Sibling("id", stored, 1, 0)), new byte[0]);
    Fields.Message message = new Fields.Message();
    Contents.add(message, 1, versions, head);
    return message.encoded();
  }

  @Test
  void aNumberAmongTheFieldsIsKeptWhateverIsAskedFor() {
    byte[] stored = Contents.checked(content().number(12, 3_600).encoded());
    assertNotNull(told(stored, false));
    assertNotNull(told(stored, true));
  }

  @Test
  void aContentWithoutItsValueIsRefused() {
    byte[] none = new Fields.Message().string(2, "text/plain").encoded();
    assertEquals(
        "the content has no value",
        assertThrows(RiakException.class, () -> Contents.checked(none)).getMessage());
  }

  @Test
  void aPairWithoutItsKeyIsRefused() {
    byte[] pair = new Fields.Message().string(2, "of nothing").encoded();
    byte[] content = content().bytes(9, pair).encoded();
    assertThrows(RiakException.class, () -> Contents.checked(content));
  }

  @Test
  void fieldsOfAnotherWireTypeAreRefused() {
    byte[] number = new Fields.Message().number(1, 5).encoded();
    assertThrows(RiakException.class, () -> Contents.checked(number));
    byte[] text = content().string(12, "an hour").encoded();
    assertThrows(RiakException.class, () -> Contents.checked(text));
  }

  @Test
  void whatOnlyTheStoreMaySayIsLeftOut() {
    byte[] forged = content().string(5, "vtag").number(7, 1).flag(11, true).encoded();
    assertArrayEquals(content().encoded(), Contents.checked(forged));
  }

  @Test
  void whatAnotherDoorHasStoredIsToldAsAValue() {
    byte[] raw = {(byte) 0xff, 1, 2};
    byte[] expected = new Fields.Message().bytes(1, raw).encoded();
    byte[] told = told(raw, false);
    boolean[] seen = {false};
    Fields.read(
        told,
        Fields.Shape.ofBytes(1),
        (field, in) -> {
          byte[] content = in.readByteArray();
          assertArrayEquals(expected, java.util.Arrays.copyOf(content, expected.length));
          seen[0] = true;
          return true;
        });
    assertEquals(true, seen[0]);
    assertNotNull(told(raw, true));
  }

  /// Bytes of clients and disks end in an answer or in a [RiakException], never in anything else.
  @Test
  void anyBytesAreRefusedOrRead() {
    Random random = new Random(7);
    byte[] good = content().number(12, 7).encoded();
    for (int i = 0; i < 40_000; i++) {
      byte[] bytes = good.clone();
      int changes = 1 + random.nextInt(4);
      for (int c = 0; c < changes; c++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      if (random.nextBoolean()) {
        bytes = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
      }
      try {
        told(Contents.checked(bytes), random.nextBoolean());
      } catch (RiakException e) {
        // A refusal of the put.
      }
      told(bytes, random.nextBoolean());
      readAll(bytes);
    }
  }

  private static void readAll(byte[] bytes) {
    for (int kind = 0; kind < 8; kind++) {
      try {
        switch (kind) {
          case 0 -> KeyRequest.get(bytes);
          case 1 -> KeyRequest.put(bytes);
          case 2 -> KeyRequest.delete(bytes);
          case 3 -> Listing.ofKeys(bytes);
          case 4 -> Listing.ofBuckets(bytes);
          case 5 -> BucketRequest.setting(bytes);
          case 6 -> BucketProperties.decode(bytes).full(3, true);
          default -> BucketRequest.ofType(bytes);
        }
      } catch (RiakException e) {
        // A refusal of the request.
      }
    }
  }
}
