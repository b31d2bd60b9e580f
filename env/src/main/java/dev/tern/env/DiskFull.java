package dev.tern.env;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Tells a disk without room from other failures: nothing is broken, and what failed works again
/// once there is room.
public final class DiskFull {
  /// What operating systems say of a disk without room, and of a quota that is used up.
  private static final String[] WORDS = {"no space left", "quota exceeded"};

  /// Causes that are looked at.
  private static final int MAX_CAUSES = 16;

  private DiskFull() {}

  /// Whether a failure, or a cause of it, is that there was no room.
  public static boolean is(@Nullable Throwable failure) {
    Throwable each = failure;
    for (int i = 0; each != null && i < MAX_CAUSES; i++) {
      if (says(each.getMessage())) {
        return true;
      }
      each = each.getCause();
    }
    return false;
  }

  /// Whether a text says so.
  public static boolean says(@Nullable String text) {
    String lower = text == null ? "" : text.toLowerCase(Locale.ROOT);
    for (String word : WORDS) {
      if (lower.contains(word)) {
        return true;
      }
    }
    return false;
  }
}
