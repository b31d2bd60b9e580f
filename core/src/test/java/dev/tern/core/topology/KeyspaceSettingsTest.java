package dev.tern.core.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Resolution;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KeyspaceSettingsTest {
  private static final KeyspaceSettings USUAL = KeyspaceSettings.usual("some");

  private static byte[] bytes(KeyspaceSettings settings) {
    ByteWriter out = new ByteWriter();
    settings.encode(out);
    return out.toByteArray();
  }

  @Test
  void whatIsUsualIsAKeyspace() {
    assertNull(USUAL.problem());
    assertEquals(3, USUAL.n());
    assertEquals(2, USUAL.r());
    assertEquals(2, USUAL.w());
    assertEquals(Durability.SYNC, USUAL.durability());
    assertEquals(Resolution.LWW, USUAL.resolution());
    assertEquals(5_000, USUAL.timeoutMillis());
  }

  @Test
  void eachPropertyIsTakenAndComesBackFromBytesAndWords() {
    for (KeyspaceProperty<?> property : KeyspaceProperty.ALL) {
      comesBack(property);
    }
  }

  private static <T> void comesBack(KeyspaceProperty<T> property) {
    boolean choice = property.kind() == KeyspaceProperty.Kind.CHOICE;
    Set<String> seen = new HashSet<>();
    for (Object told : choice ? words(property) : new Object[] {1L, 7L}) {
      KeyspaceSettings changed = USUAL.with(property, property.of(told));
      assertEquals(told, property.told(changed.get(property)), property.name());
      assertEquals(changed, KeyspaceSettings.decode(new ByteReader(bytes(changed))));
      for (KeyspaceProperty<?> other : KeyspaceProperty.ALL) {
        if (other != property) {
          assertEquals(USUAL.get(other), changed.get(other), "another changed");
        }
      }
      seen.add(changed.toString());
    }
    assertNotEquals(1, seen.size(), "the value of " + property.name() + " is lost");
  }

  /// The words of a choice, from the message that refuses another.
  private static Object[] words(KeyspaceProperty<?> property) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> property.of("nosuch"));
    String message = refused.getMessage();
    int from = message.indexOf(" is one of ") + " is one of ".length();
    return message.substring(from, message.indexOf(", not ")).split(", ");
  }

  @Test
  void valuesOutOfTheirRangeAreNamed() {
    assertEquals("n lies between 1 and 16, not 0", USUAL.with(KeyspaceProperty.N, 0).problem());
    assertEquals("n lies between 1 and 16, not 17", USUAL.with(KeyspaceProperty.N, 17).problem());
    assertEquals(
        "r and w lie between 1 and n = 3, not r=4 w=2",
        USUAL.with(KeyspaceProperty.R, 4).problem());
    assertEquals("ttlMillis is 0 or more, not -1", USUAL.with(KeyspaceProperty.TTL, -1L).problem());
    assertEquals(
        "timeoutMillis is 1 or more, not 0", USUAL.with(KeyspaceProperty.TIMEOUT, 0).problem());
    assertNotNull(USUAL.with(KeyspaceProperty.TIMEOUT, 1L << 32).problem());
    assertNotNull(USUAL.with(KeyspaceProperty.N, (1L << 32) + 3).problem());
    assertNotNull(KeyspaceSettings.usual("Some").problem());
    assertThrows(IllegalArgumentException.class, () -> KeyspaceProperty.N.of("3"));
  }

  @Test
  void namesAndFlagsAreDistinct() {
    Set<String> names = new HashSet<>();
    Set<String> flags = new HashSet<>();
    for (KeyspaceProperty<?> property : KeyspaceProperty.ALL) {
      names.add(property.name());
      flags.add(property.flag());
    }
    assertEquals(KeyspaceProperty.ALL.size(), names.size());
    assertEquals(KeyspaceProperty.ALL.size(), flags.size());
  }

  @Test
  void bytesThatAreNoChoiceAreRefused() {
    byte[] bytes = bytes(USUAL);
    // The name and its length, n; then the zones' byte.
    bytes[1 + "some".length() + 1] = 9;
    assertThrows(DecodeException.class, () -> KeyspaceSettings.decode(new ByteReader(bytes)));
  }
}
