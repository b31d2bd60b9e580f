package dev.tern.gateway.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Lines typed by hand, split as Redis splits them (`sdssplitargs`).
class InlineCommandTest {
  private static List<String> split(String line) {
    List<byte[]> words = new ArrayList<>();
    InlineCommand.split(line, words);
    return words.stream().map(word -> new String(word, ISO_8859_1)).toList();
  }

  @Test
  void wordsByTable() {
    assertEquals(List.of("get", "a"), split("get a"));
    assertEquals(List.of("get", "a"), split("  get\t a  "));
    assertEquals(List.of(), split("   "));
    assertEquals(List.of("set", "a b", ""), split("set \"a b\" \"\""));
    assertEquals(List.of("a\nb\r\t\b" + (char) 7), split("\"a\\nb\\r\\t\\b\\a\""));
    assertEquals(List.of("\u00ff\u0000A"), split("\"\\xff\\x00\\x41\""));
    assertEquals(List.of("x4", "xgg"), split("\"\\x4\" \"\\xgg\""));
    assertEquals(List.of("\"", "\\"), split("\"\\\"\" \"\\\\\""));
    assertEquals(List.of("a\\nb", "it's"), split("'a\\nb' 'it\\'s'"));
    assertEquals(List.of("ab"), split("a\"b\""));
    assertEquals(List.of("\u00e4"), split("\u00e4"));
  }

  @Test
  void quotesThatDoNotMatchAreRefused() {
    for (String line : new String[] {"\"a", "'a", "\"a\"b", "'a'b", "\"", "\"\\\"", "get 'a\\'"}) {
      assertThrows(RespDecoder.ProtocolException.class, () -> split(line), line);
    }
  }
}
