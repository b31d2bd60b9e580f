package dev.tern.runtime;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Lets a thread stand back where there are more threads than processors. Java's own priorities do
/// nothing on Linux, where niceness belongs to threads: `setpriority(2)` of the calling one.
final class Niceness {
  private static final int PRIO_PROCESS = 0;
  private static final int CALLING_THREAD = 0;
  private static final @Nullable MethodHandle SETPRIORITY = setpriority();

  private Niceness() {}

  // The launcher enables native access.
  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle setpriority() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return null;
    }
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> symbol = linker.defaultLookup().find("setpriority");
    FunctionDescriptor type =
        FunctionDescriptor.of(
            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
    return symbol.map(address -> linker.downcallHandle(address, type)).orElse(null);
  }

  /// Makes the calling thread that nice, 0 to 19; where the system knows no such thing, or refuses,
  /// it stays as it is.
  ///
  /// @return whether it was done
  static boolean set(int niceness) {
    if (SETPRIORITY == null) {
      return false;
    }
    try {
      return (int) SETPRIORITY.invokeExact(PRIO_PROCESS, CALLING_THREAD, niceness) == 0;
    } catch (Throwable e) {
      throw new IllegalStateException("setpriority", e);
    }
  }
}
