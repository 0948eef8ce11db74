package dev.sluice.testing;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import org.jboss.logmanager.formatters.PatternFormatter;

/** Records what is logged at a level or above, or with an exception, until it is closed. */
public final class LogRecorder extends Handler {

    /** Level ERROR of JBoss Logging. */
    public static final Level ERROR = Level.SEVERE;

    private static final Formatter MESSAGE = new PatternFormatter("%s");

    private final int level;
    private final boolean exceptions;
    private final List<String> records = new CopyOnWriteArrayList<>();

    private LogRecorder(Level level, boolean exceptions) {
        this.level = level.intValue();
        this.exceptions = exceptions;
    }

    /** @param exceptions whether records of a lower level with an exception are recorded too */
    public static LogRecorder start(Level level, boolean exceptions) {
        var recorder = new LogRecorder(level, exceptions);
        Logger.getLogger("").addHandler(recorder);
        return recorder;
    }

    public List<String> records() {
        return records;
    }

    @Override
    public void publish(LogRecord record) {
        if (record.getLevel().intValue() >= level || exceptions && record.getThrown() != null) {
            records.add(record.getLoggerName() + ' ' + MESSAGE.format(record) + ' ' + record.getThrown());
        }
    }

    @Override
    public void flush() {
        // nothing is buffered
    }

    @Override
    public void close() {
        Logger.getLogger("").removeHandler(this);
    }
}
