package dev.tern.core.keyspace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.version.ValueType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The table of `core/src/test/resources/keyspace/evaluation.txt`: what an update makes of a value.
///
/// A line is `update | value before | outcome | value after`. A value is `-` for none, or text, `@`
/// and its expiry if it has one, `:` and its type if it is not plain bytes. An outcome says whether
/// there was a value (*old*, *new*), whether it was changed (*applied*, *kept*), and what is
/// returned. It is 1000.
class EvaluationTest {
  private static final Path TABLE = Path.of("src/test/resources/keyspace/evaluation.txt");
  private static final long WALL_MILLIS = 1_000;

  private record Value(ValueType type, byte @Nullable [] bytes, long expiryMillis) {
    static final Value NONE = new Value(ValueType.NONE, null, 0);

    static Value of(String text) {
      if (text.equals("-")) {
        return NONE;
      }
      int colon = text.indexOf(':');
      ValueType type = colon < 0 ? ValueType.BYTES : ValueType.valueOf(text.substring(colon + 1));
      String rest = colon < 0 ? text : text.substring(0, colon);
      int at = rest.indexOf('@');
      long expiry = at < 0 ? 0 : Long.parseLong(rest.substring(at + 1));
      return new Value(type, raw(at < 0 ? rest : rest.substring(0, at)), expiry);
    }

    String text() {
      if (bytes == null) {
        return "-";
      }
      String expiry = expiryMillis == 0 ? "" : "@" + expiryMillis;
      return quoted(bytes) + expiry + (type == ValueType.BYTES ? "" : ":" + type);
    }
  }

  private static byte[] raw(String text) {
    boolean quoted = text.startsWith("\"");
    return (quoted ? text.substring(1, text.length() - 1) : text).getBytes(UTF_8);
  }

  private static String quoted(byte[] bytes) {
    return bytes.length == 0 ? "\"\"" : new String(bytes, UTF_8);
  }

  private static Update update(String text) {
    List<String> words = List.of(text.split(" ", -1));
    boolean returning = words.contains("returning");
    return switch (words.getFirst()) {
      case "put" -> {
        Update.Condition condition =
            words.contains("absent")
                ? Update.Condition.ABSENT
                : words.contains("present") ? Update.Condition.PRESENT : Update.Condition.NONE;
        long expiry = Update.NO_EXPIRY;
        for (String word : words) {
          if (word.startsWith("expires=")) {
            String when = word.substring("expires=".length());
            expiry = when.equals("keep") ? Update.KEEP_EXPIRY : Long.parseLong(when);
          }
        }
        yield new Update.Put(raw(words.get(1)), expiry, condition, returning);
      }
      case "delete" -> new Update.Delete(returning);
      case "add" -> new Update.Add(Long.parseLong(words.get(1)));
      case "decimal" -> new Update.AddDecimal(words.get(1));
      case "append" -> new Update.Append(raw(words.get(1)));
      case "expire" -> {
        String when = words.get(1);
        yield new Update.Expire(
            when.equals("never") ? Update.NO_EXPIRY : Long.parseLong(when),
            words.size() < 3
                ? Update.ExpiryCondition.NONE
                : Update.ExpiryCondition.valueOf(words.get(2)));
      }
      case "identity" -> Update.identity();
      default -> throw new IllegalArgumentException(text);
    };
  }

  private static String text(UpdateOutcome outcome) {
    return switch (outcome) {
      case UpdateOutcome.Done done ->
          (done.existed() ? "old" : "new")
              + (done.applied() ? " applied" : " kept")
              + (done.value() == null ? "" : " = " + quoted(done.value()));
      case UpdateOutcome.Rejected rejected -> "rejected " + rejected.why();
      case UpdateOutcome.Stored stored -> "stored";
      case Unanswered why -> "unanswered";
    };
  }

  private static Evaluation evaluate(String update, Value before) {
    return Evaluation.of(
        update(update), before.type(), before.bytes(), before.expiryMillis(), WALL_MILLIS);
  }

  @Test
  void theTableHolds() throws IOException {
    int lines = 0;
    for (String line : Files.readAllLines(TABLE)) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      lines++;
      List<String> cells = List.of(line.split(" \\| ", -1));
      Evaluation found = evaluate(cells.get(0), Value.of(cells.get(1)));
      assertEquals(cells.get(2), text(found.outcome()), line);
      Value after = new Value(found.type(), found.value(), found.expiryMillis());
      assertEquals(cells.get(3), found.changed() ? after.text() : "same", line);
      assertEquals(found.value() == null, found.type() == ValueType.NONE, line);
    }
    assertTrue(lines > 80, "a table of " + lines + " lines");
  }

  @Test
  void anAppendStopsAtTheLargestValue() {
    Value large = new Value(ValueType.BYTES, new byte[Keyspace.MAX_VALUE_BYTES - 1], 0);
    Evaluation fits = evaluate("append b", large);
    assertEquals(Keyspace.MAX_VALUE_BYTES, java.util.Objects.requireNonNull(fits.value()).length);
    assertEquals("rejected TOO_LARGE", text(evaluate("append bc", large).outcome()));
  }

  @Test
  void aStoreNeedsMoreThanAValue() {
    Update store = new Update.Store(new byte[1], 0, new byte[0], false, Update.Match.ABSENT, false);
    assertThrows(
        IllegalArgumentException.class,
        () -> Evaluation.of(store, ValueType.NONE, null, 0, WALL_MILLIS));
  }
}
