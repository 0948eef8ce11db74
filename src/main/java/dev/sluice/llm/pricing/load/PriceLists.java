package dev.sluice.llm.pricing.load;

import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.PreDestroy;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;

import org.jboss.logging.Logger;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.pricing.PriceList;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;

/**
 * Optional price list ({@code rate-limit.llm.prices}). A file is read at start, polled for changes afterwards, and read again every
 * {@code rate-limit.llm.prices.refresh}. A URL is fetched after the start and at the same interval; a failed fetch is repeated after
 * a minute. Fires a {@link PriceList} as CDI event, on a thread of its own, whenever a list was loaded. Thread-safe.
 */
@ApplicationScoped
public class PriceLists {

    /** More than any published list has: LiteLLM's has 2 MB. */
    static final int MAX_BYTES = 16 << 20;

    private static final String PROPERTY = "rate-limit.llm.prices";
    private static final Duration MIN_REFRESH = Duration.ofMinutes(1);
    private static final Duration MAX_REFRESH = Duration.ofDays(24);
    private static final Duration POLL_INTERVAL = Duration.ofSeconds(2);
    private static final Duration RETRY_INTERVAL = Duration.ofMinutes(1);
    private static final Logger LOG = Logger.getLogger(PriceLists.class);

    private final Duration refresh;
    private final String location;
    private String locationProblem;
    private PriceFile file;
    private PriceUrl url;
    /** Null if no list is configured. */
    private PriceListState state;
    private ScheduledExecutorService executor;
    private volatile boolean started;

    @Inject
    PriceLists(PriceListConfig config, Vertx vertx, MeterRegistry meters, Event<PriceList> loaded) {
        refresh = config.refresh();
        location = config.location().map(String::strip).orElse("");
        if (location.isEmpty()) {
            return;
        }
        PriceListLocation parsed;
        try {
            parsed = PriceListLocation.parse(location);
        } catch (IllegalArgumentException e) {
            locationProblem = e.getMessage();
            return;
        }
        if (parsed.file() == null) {
            url = new PriceUrl(vertx, parsed.url(), new HttpClientOptions(), MAX_BYTES);
            state = new PriceListState(parsed.describe(), url::read, Clock.systemUTC(), meters, loaded::fire);
        } else {
            file = new PriceFile(parsed.file(), MAX_BYTES);
            state = new PriceListState(parsed.describe(), file::read, Clock.systemUTC(), meters, list -> {
                if (started) {
                    loaded.fire(list);
                }
            });
            state.load();
        }
    }

    /**
     * Returns the list in force.
     *
     * @return the last valid one; {@link PriceList#NONE} if there is none
     */
    public PriceList current() {
        return state == null ? PriceList.NONE : state.list();
    }

    /**
     * Returns the status of the list.
     *
     * @return the status; empty if no list is configured
     */
    public Optional<PriceListStatus> status() {
        return Optional.ofNullable(state).map(PriceListState::status);
    }

    void validate(@Observes ConfigProblems problems) {
        if (refresh.compareTo(MIN_REFRESH) < 0 || refresh.compareTo(MAX_REFRESH) > 0) {
            problems.add(PROPERTY + ".refresh", refresh.toString(), "a duration from 1m to 24d");
        }
        if (locationProblem != null) {
            problems.add(PROPERTY, "(not shown)", locationProblem);
        } else if (file != null && state.status().problem() != null) {
            problems.add(PROPERTY, location, state.status().problem() + "; RATE_LIMIT_LLM_PRICES must name a price list: "
                    + PriceListLocation.ALLOWED);
        }
    }

    void start(@Observes @Priority(3000) StartupEvent startup) {
        if (state == null) {
            return;
        }
        started = true;
        executor = Executors.newSingleThreadScheduledExecutor(task -> {
            var thread = new Thread(task, "sluice-prices");
            thread.setDaemon(true);
            return thread;
        });
        if (file == null) {
            executor.execute(this::fetch);
        } else {
            every(POLL_INTERVAL, () -> {
                if (file.pollChange()) {
                    state.load();
                }
            });
            every(refresh, state::load);
        }
    }

    private void every(Duration interval, Runnable task) {
        executor.scheduleWithFixedDelay(() -> run(task), interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void fetch() {
        run(state::load);
        var delay = state.status().problem() == null || RETRY_INTERVAL.compareTo(refresh) > 0 ? refresh : RETRY_INTERVAL;
        if (!executor.isShutdown()) {
            executor.schedule(this::fetch, delay.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Catches everything: an executor cancels a periodic task that throws. */
    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            LOG.error("Loading the price list failed", e);
        }
    }

    @PreDestroy
    void stop() {
        if (executor != null) {
            executor.shutdownNow();
        }
        if (url != null) {
            url.close();
        }
    }
}
