package dev.tern.lsm.log;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// The log was forced to the disk: what Java Flight Recorder sees of it.
@Name("dev.tern.lsm.LogSync")
@Label("LSM Log Sync")
@Category({"Tern", "LSM"})
@StackTrace(false)
public final class LogSync extends Event {}
