package dev.sluice.service.rls;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.PreDestroy;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesChanged;
import dev.sluice.config.RulesDocument;
import dev.sluice.config.RulesFile;
import dev.sluice.config.RulesFileStatus;
import dev.sluice.config.StableChange;
import dev.sluice.config.YamlFiles;
import dev.sluice.service.grpc.GrpcConfig;
import io.quarkus.runtime.StartupEvent;

/**
 * Domains and their descriptors in force: those of the rules file and of {@code RATE_LIMIT_ENVOY_CONFIG}, both of which are reloaded.
 * If a change is invalid, the last valid content stays in force. Thread-safe.
 */
@ApplicationScoped
public class DomainRules {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final String PROPERTY = "rate-limit.envoy.config";
    private static final int POLL_INTERVAL_MILLIS = 500;
    private static final int MAX_LOGGED_PROBLEMS = 50;
    /** Bound on the number of domains that are remembered as unknown. */
    private static final int MAX_UNKNOWN = 100;

    private final Optional<Path> path;
    private final boolean served;
    private final ConfigProblems initialProblems = new ConfigProblems();
    private final Set<String> unknown = ConcurrentHashMap.newKeySet();
    private final StableChange<YamlFiles> change;
    private RulesDocument rules;
    private List<RulesDocument> foreign;
    private volatile Map<String, DescriptorNode> domains;
    private volatile RulesFileStatus status;
    private ScheduledExecutorService executor;

    DomainRules(EnvoyConfig settings, GrpcConfig grpc, RulesFile file) {
        this.path = settings.config().map(String::strip).filter(name -> !name.isEmpty()).map(Path::of);
        this.served = grpc.port().isPresent();
        this.rules = file.initialDocument();
        var files = path.map(YamlFiles::read);
        this.foreign = files.map(found -> found.parse(PROPERTY, initialProblems)).orElse(List.of());
        this.change = files.map(StableChange::new).orElse(null);
        this.domains = read(rules, foreign, initialProblems);
        this.status = files.isPresent() ? new RulesFileStatus(true, Instant.now(), null) : null;
    }

    /** Returns the status of {@code RATE_LIMIT_ENVOY_CONFIG}; empty if it is not set. */
    public Optional<RulesFileStatus> status() {
        return Optional.ofNullable(status);
    }

    private static Map<String, DescriptorNode> read(RulesDocument rules, List<RulesDocument> foreign, ConfigProblems problems) {
        var reader = new DomainReader(problems);
        reader.readRules(rules);
        reader.readForeign(foreign);
        return Map.copyOf(reader.domains());
    }

    void validate(@Observes ConfigProblems problems) {
        problems.addAll(initialProblems);
    }

    void start(@Observes @Priority(3000) StartupEvent started) {
        if (!domains.isEmpty() && !served) {
            LOG.warnf(
                    "Domains of Envoy's rate limit service are configured, but not served: set RATE_LIMIT_GRPC_PORT (domains=%d)",
                    domains.size());
        }
        if (path.isPresent()) {
            executor = Executors.newSingleThreadScheduledExecutor(task -> {
                var thread = new Thread(task, "sluice-envoy-config");
                thread.setDaemon(true);
                return thread;
            });
            executor.scheduleWithFixedDelay(this::poll, POLL_INTERVAL_MILLIS, POLL_INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @PreDestroy
    void stop() {
        if (executor != null) {
            executor.shutdownNow();
        }
    }

    /** Catches everything: an executor cancels a periodic task that throws. */
    private void poll() {
        try {
            var files = YamlFiles.read(path.orElseThrow());
            if (change.poll(files)) {
                apply(files);
            }
        } catch (RuntimeException | Error e) {
            LOG.error("Polling RATE_LIMIT_ENVOY_CONFIG failed", e);
        }
    }

    private synchronized void apply(YamlFiles files) {
        var problems = new ConfigProblems();
        var documents = files.parse(PROPERTY, problems);
        var next = read(rules, documents, problems);
        var lines = problems.lines();
        if (lines.isEmpty()) {
            foreign = documents;
            domains = next;
            status = new RulesFileStatus(true, Instant.now(), null);
            LOG.infof("Envoy configuration reloaded: path=%s, domains=%d", path.orElseThrow(), next.size());
            return;
        }
        status = new RulesFileStatus(false, Instant.now(), lines.get(0));
        lines.stream().limit(MAX_LOGGED_PROBLEMS)
                .forEach(line -> LOG.warnf("Envoy configuration rejected, the last valid one stays in force: %s", line));
        if (lines.size() > MAX_LOGGED_PROBLEMS) {
            LOG.warnf("Envoy configuration rejected: furtherProblems=%d", lines.size() - MAX_LOGGED_PROBLEMS);
        }
    }

    synchronized void onRulesChanged(@Observes RulesChanged changed) {
        var problems = changed.document().newProblems();
        var next = read(changed.document(), foreign, problems);
        changed.addProblems(problems);
        changed.onAccepted(() -> accept(changed.document(), next));
    }

    private synchronized void accept(RulesDocument document, Map<String, DescriptorNode> next) {
        rules = document;
        domains = next;
    }

    /** Returns the tree of a domain; null, and a warning once for each domain, if it is not configured. */
    DescriptorNode find(String domain) {
        var tree = domains.get(domain);
        if (tree == null && unknown.size() < MAX_UNKNOWN && unknown.add(domain)) {
            LOG.warnf("Envoy asks for a domain that is not configured; its requests are not limited: domain=%s",
                    printable(domain));
        }
        return tree;
    }

    private static String printable(String domain) {
        var text = domain.length() > 100 ? domain.substring(0, 100) + "…" : domain;
        return text.replaceAll("\\p{Cntrl}", "?");
    }
}
