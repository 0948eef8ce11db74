package dev.sluice.llm.pricing.load;

import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

import org.jboss.logging.Logger;

import dev.sluice.llm.pricing.InvalidPriceListException;
import dev.sluice.llm.pricing.PriceList;
import dev.sluice.llm.pricing.PriceListReader;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * The last valid price list of a source. A list that is not valid, or cannot be loaded, leaves the last one in force. Loading is not
 * thread-safe and blocks; the list and the status can be read by any thread.
 */
final class PriceListState {

    private static final Logger LOG = Logger.getLogger(PriceListState.class);

    private final String source;
    private final Callable<byte[]> content;
    private final Clock clock;
    private final Consumer<PriceList> onLoaded;
    private final Counter loaded;
    private final Counter failed;
    private volatile PriceList list = PriceList.NONE;
    private volatile PriceListStatus status;

    /**
     * @param source name of the source as it may be shown
     * @param content loads the document; the messages of its IOExceptions are shown
     * @param onLoaded receives each list that was loaded
     */
    PriceListState(String source, Callable<byte[]> content, Clock clock, MeterRegistry meters, Consumer<PriceList> onLoaded) {
        this.source = source;
        this.content = content;
        this.clock = clock;
        this.onLoaded = onLoaded;
        status = new PriceListStatus(source, null, 0, 0, List.of(), null, null);
        loaded = loads(meters, "loaded");
        failed = loads(meters, "failed");
        Gauge.builder("llm_price_list_valid", this,
                state -> state.status.loadedAt() != null && state.status.problem() == null ? 1 : 0)
                .description("1 if the latest attempt to load the price list succeeded").register(meters);
        Gauge.builder("llm_price_list_skipped_rows", this, state -> state.status.skippedRows())
                .description("Rows of the price list that are not valid and not in use").register(meters);
    }

    private static Counter loads(MeterRegistry meters, String outcome) {
        return Counter.builder("llm_price_list_loads").tag("outcome", outcome)
                .description("Attempts to load the price list, by outcome").register(meters);
    }

    PriceList list() {
        return list;
    }

    PriceListStatus status() {
        return status;
    }

    /** Loads the list, and reports a failure once. Returns whether it was loaded. */
    boolean load() {
        String problem;
        try {
            accept(PriceListReader.parse(source, content.call()));
            return true;
        } catch (InvalidPriceListException | IOException e) {
            problem = e.getMessage();
        } catch (Exception | OutOfMemoryError | StackOverflowError e) { // the next attempt may succeed
            problem = e.getClass().getSimpleName();
        }
        failed.increment();
        var last = status;
        status = new PriceListStatus(source, last.loadedAt(), last.rows(), last.skippedRows(), last.skipped(), problem,
                clock.instant());
        if (!Objects.equals(problem, last.problem())) {
            LOG.warnf("Price list cannot be loaded: source=%s inForce=%s reason=%s", source,
                    last.loadedAt() == null ? "the bundled prices" : "the list of " + last.loadedAt(), problem);
        }
        return false;
    }

    private void accept(PriceList next) {
        var last = status;
        list = next;
        status = new PriceListStatus(source, clock.instant(), next.rows(), next.skippedRows(), next.skipped(), null, null);
        loaded.increment();
        LOG.infof("Price list loaded: source=%s rows=%d skippedRows=%d", source, next.rows(), next.skippedRows());
        if (next.skippedRows() > 0 && !next.skipped().equals(last.skipped())) {
            LOG.warnf("Rows of the price list are not valid and not in use: source=%s rows=%d first=%s", source,
                    next.skippedRows(), next.skipped().get(0));
        }
        onLoaded.accept(next);
    }
}
