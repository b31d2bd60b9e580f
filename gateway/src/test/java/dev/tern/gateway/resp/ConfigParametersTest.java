package dev.tern.gateway.resp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfigParametersTest {
  private final ConfigParameters parameters = new ConfigParameters();

  private static List<byte[]> words(String... words) {
    return Arrays.stream(words).map(word -> word.getBytes(US_ASCII)).toList();
  }

  private String get(String... patterns) {
    String[] all = new String[patterns.length + 2];
    all[0] = "CONFIG";
    all[1] = "GET";
    System.arraycopy(patterns, 0, all, 2, patterns.length);
    Reply.Pairs pairs = (Reply.Pairs) parameters.get(words(all), Map.of("port", "7"));
    StringBuilder text = new StringBuilder();
    pairs.entries().forEach((name, value) -> text.append(name + "=" + value + " "));
    return text.toString().replaceAll("Text\\[text=([^,]*), verbatim=false]", "$1");
  }

  private String refusal(String... words) {
    return String.valueOf(
        assertThrows(CommandException.class, () -> parameters.set(words(words))).getMessage());
  }

  @Test
  void whatIsSetIsToldBack() {
    parameters.set(words("CONFIG", "SET", "hz", "20", "SAVE", "900 1"));
    assertEquals("hz=20 save=900 1 ", get("hz", "sav?"));
    assertEquals("port=7 ", get("PORT"));
  }

  @Test
  void severalAreSetTogetherOrNotAtAll() {
    assertEquals(
        "ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config",
        refusal("CONFIG", "SET", "hz", "20", "port", "1"));
    assertEquals("hz=10 ", get("hz"));
  }

  @Test
  void refusalsAreInRedisWords() {
    assertEquals(
        "ERR Unknown option or number of arguments for CONFIG SET - 'foo'",
        refusal("CONFIG", "SET", "foo", "1"));
    assertEquals(
        "ERR CONFIG SET failed (possibly related to argument 'hz') - duplicate parameter",
        refusal("CONFIG", "SET", "hz", "1", "HZ", "2"));
    assertEquals(
        "ERR CONFIG SET failed (possibly related to argument 'appendonly') - argument must be 'yes' or 'no'",
        refusal("CONFIG", "SET", "appendonly", "maybe"));
  }

  @Test
  void whatTernDoesNotDoIsRefusedWithTheReason() {
    assertEquals(
        "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - nothing is evicted: memory is given at the start",
        refusal("CONFIG", "SET", "maxmemory", "100mb"));
    assertEquals(Reply.OK, parameters.set(words("CONFIG", "SET", "maxmemory", "0")));
  }
}
