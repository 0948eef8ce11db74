package dev.sluice.service.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.LogRecord;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;

class ClientFaultLogFilterTest {

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5);
    private final ClientFaultLogFilter filter = new ClientFaultLogFilter(now::get);

    private static LogRecord record(Throwable thrown) {
        var record = new LogRecord(Level.INFO, "closing channel");
        record.setThrown(thrown);
        return record;
    }

    private static LogRecord clientFault() {
        return record(Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM, "too many control frames"));
    }

    @Test
    void oneFaultAMinuteIsLoggedWithoutStackTrace() {
        for (int minute = 0; minute < 3; minute++) {
            var first = clientFault();
            assertThat(filter.isLoggable(first)).isTrue();
            assertThat(first.getThrown()).isNull();
            for (int i = 0; i < 100; i++) {
                assertThat(filter.isLoggable(clientFault())).isFalse();
            }
            now.addAndGet(TimeUnit.MINUTES.toNanos(1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"io.netty.channel.DefaultChannelPipeline", "io.vertx.core.net.impl.ConnectionBase"})
    void connectionsThatAreResetAreLoggedOnceAMinute(String logger) {
        for (int minute = 0; minute < 3; minute++) {
            for (int i = 0; i < 100; i++) {
                var fault = record(i % 2 == 0 ? new IOException("Connection reset by peer") : null);
                fault.setLoggerName(logger);
                assertThat(filter.isLoggable(fault)).isEqualTo(i == 0);
                assertThat(i == 0 ? fault.getThrown() : null).isNull();
            }
            now.addAndGet(TimeUnit.MINUTES.toNanos(1));
        }
    }

    @Test
    void otherRecordsAreUnchanged() {
        for (int i = 0; i < 3; i++) {
            var failure = record(new IOException());
            assertThat(filter.isLoggable(failure)).isTrue();
            assertThat(failure.getThrown()).isNotNull();
            assertThat(filter.isLoggable(record(null))).isTrue();
        }
    }
}
