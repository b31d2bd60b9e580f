package dev.tern.env;

/// Time. Any thread may call.
///
/// The monotonic clock never goes back and has no meaning outside its process; deadlines and
/// durations use it. The wall clock may step in either direction at any moment: what uses it must
/// be right whatever it says.
public interface Clock {
  /// Nanoseconds since an arbitrary moment; never decreases.
  long monotonicNanos();

  /// Milliseconds since 1970-01-01T00:00Z as this machine believes.
  long wallMillis();
}
