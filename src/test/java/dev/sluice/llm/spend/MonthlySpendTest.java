package dev.sluice.llm.spend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.LocalDate;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.llm.ledger.SpendRange;
import io.smallrye.mutiny.Uni;

/** Age of the spend of a month, with the time set by hand. */
class MonthlySpendTest {

    private static final long HOUR = 24 * LocalDate.of(2026, 3, 31).toEpochDay() + 23;

    private long nanos;
    private long hour = HOUR;
    private long millisOfARead;
    private boolean failing;
    private int reads;
    private SpendRange range;

    private final MonthlySpend spend = new MonthlySpend((range, rows) -> {
        this.range = range;
        reads++;
        pass(millisOfARead);
        return failing ? Uni.createFrom().failure(new IllegalStateException("down")) : Uni.createFrom().voidItem();
    }, () -> hour, () -> nanos);

    private void pass(long millis) {
        nanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private void read() {
        spend.of(SpendDimension.USER, "alice").await().indefinitely();
    }

    @ParameterizedTest
    @CsvSource({"0, 1000", "10, 1000", "200, 4000", "2000, 30000", "60000, 30000"})
    void timeBetweenReadsGrowsWithTheTimeThatOneTakes(long ofARead, long pauseMillis) {
        millisOfARead = ofARead;
        read();
        pass(pauseMillis - 1);
        read();
        assertThat(reads).isEqualTo(1);
        pass(1);
        read();
        assertThat(reads).isEqualTo(2);
    }

    @Test
    void nextMonthIsReadAtOnceAndAFailureIsNotKept() {
        read();
        hour++;
        read();
        assertThat(range.fromHour()).isEqualTo(HOUR + 1);
        assertThat(reads).isEqualTo(2);
        pass(1000);
        failing = true;
        assertThatThrownBy(this::read).hasMessage("down");
        failing = false;
        read();
        assertThat(reads).isEqualTo(4);
    }
}
