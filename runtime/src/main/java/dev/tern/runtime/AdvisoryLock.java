package dev.tern.runtime;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// `flock(2)` on a directory. The JDK offers POSIX locks only, which a process loses when it closes
/// any descriptor of the file; this one belongs to its own descriptor.
final class AdvisoryLock implements AutoCloseable {
  /// Somebody else has it.
  static final AutoCloseable HELD = () -> {};

  private static final int LOCK_EXCLUSIVE = 2;
  private static final int LOCK_AT_ONCE = 4;

  /// Linux, with which the directory is closed in child processes.
  private static final int O_CLOEXEC = 0x80000;

  private static final int EWOULDBLOCK = 11;

  /// The calls of the system; null where there are none, or this process may not call them.
  private static final @Nullable Calls CALLS = Calls.find();

  private final int descriptor;
  private boolean closed;

  private AdvisoryLock(int descriptor) {
    this.descriptor = descriptor;
  }

  private record Calls(MethodHandle open, MethodHandle flock, MethodHandle close, VarHandle errno) {
    private static final StructLayout STATE = Linker.Option.captureStateLayout();

    // The launcher enables native access.
    @SuppressWarnings("restricted")
    static @Nullable Calls find() {
      boolean known =
          System.getProperty("os.name").equals("Linux")
              && System.getProperty("os.arch").matches("amd64|x86_64|aarch64");
      if (!known) {
        return null;
      }
      try {
        Linker linker = Linker.nativeLinker();
        MethodHandle open =
            linker.downcallHandle(
                linker.defaultLookup().findOrThrow("open"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                Linker.Option.firstVariadicArg(2));
        MethodHandle flock =
            linker.downcallHandle(
                linker.defaultLookup().findOrThrow("flock"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
                Linker.Option.captureCallState("errno"));
        MethodHandle close =
            linker.downcallHandle(
                linker.defaultLookup().findOrThrow("close"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        VarHandle errno =
            STATE.varHandle(java.lang.foreign.MemoryLayout.PathElement.groupElement("errno"));
        return new Calls(open, flock, close, errno);
      } catch (RuntimeException e) {
        return null;
      }
    }
  }

  /// Takes the lock of a directory; [#HELD] if somebody has it, null if the system has no such lock
  /// for it.
  static @Nullable AutoCloseable take(Path directory) {
    Calls calls = CALLS;
    if (calls == null) {
      return null;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(directory.toString());
      int descriptor = (int) calls.open.invokeExact(path, O_CLOEXEC);
      if (descriptor < 0) {
        return null;
      }
      MemorySegment state = arena.allocate(Calls.STATE);
      int result = (int) calls.flock.invokeExact(state, descriptor, LOCK_EXCLUSIVE | LOCK_AT_ONCE);
      if (result == 0) {
        return new AdvisoryLock(descriptor);
      }
      int error = (int) calls.errno.get(state, 0L);
      release(calls, descriptor);
      return error == EWOULDBLOCK ? HELD : null;
    } catch (Throwable e) {
      throw new IllegalStateException("flock of " + directory, e);
    }
  }

  private static void release(Calls calls, int descriptor) {
    try {
      int result = (int) calls.close.invokeExact(descriptor);
      assert result == 0;
    } catch (Throwable e) {
      throw new IllegalStateException("close", e);
    }
  }

  @Override
  public void close() {
    if (!closed && CALLS != null) {
      release(CALLS, descriptor);
    }
    closed = true;
  }
}
