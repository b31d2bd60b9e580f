package dev.tern.lsm.epoch;

/// A reader inside an epoch that may have to wait for a disk. While it waits outside its epoch it
/// holds up nobody's garbage, and may use nothing but what is held for it by other means.
///
/// One thread.
public interface Pausing {
  /// Leaves the epoch for a while; [#resume] must follow. What was found in the epoch and is not
  /// held otherwise may be gone from here on.
  void pause();

  /// Is inside again, in a later epoch.
  void resume();
}
