package dev.sluice.policy;

import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;

import org.eclipse.microprofile.config.Config;

import dev.sluice.file.FileChange;
import dev.sluice.file.FileContent;
import dev.sluice.file.RowsFile;
import dev.sluice.limit.Rate;
import dev.sluice.limit.SettingsProblems;

/** Which rates govern which requests, now: as the settings say, and the file of rows, whenever it changes. */
@ApplicationScoped
public class Policy {

    /** What precedes an endpoint in the name of its resource. */
    public static final String API = "api:";

    private final PolicySettings settings;
    private volatile Policies now;

    @Inject
    Policy(PolicySettings settings, RowsFile file) {
        this(settings, file.atStart());
    }

    Policy(PolicySettings settings, FileContent file) {
        this.settings = settings;
        now = Policies.of(settings, file);
        now.warn();
    }

    void validate(@Observes SettingsProblems all, Config config) {
        all.addAll(now.problems());
        for (var name : config.getPropertyNames()) {
            if (name.startsWith(Policies.ENDPOINTS) && name.chars().filter(c -> c == '"').count() % 2 != 0) {
                all.add(name, config.getConfigValue(name).getRawValue(),
                        "a row's name ends in the middle; in a properties file, a space or colon in it is written \"\\ \" or \"\\:\"");
            }
        }
    }

    void change(@Observes FileChange change) {
        var next = Policies.of(settings, change.content());
        change.addAll(next.problems());
        change.whenGood(() -> {
            now = next;
            next.warn();
        });
    }

    /** The tiers and their default rates, as this file of rows would have them. */
    public Tiers tiers(FileContent file) {
        return Policies.of(settings, file).tiers();
    }

    /** The tiers, the first of which is an unknown caller's. */
    public List<String> tiers() {
        return now.tiers().names();
    }

    /** The tier that counts for a caller who claims this one: itself, or the first where it is unknown or null. */
    public String tier(String claimed) {
        return now.tiers().of(claimed);
    }

    /** A tier's rate where no row says otherwise. */
    public Rate defaultRate(String tier) {
        return now.tiers().rate(tier);
    }

    public Row defaultRow() {
        return now.defaultRow();
    }

    /** Every row but the default one. */
    public List<Row> rows() {
        return now.rows();
    }

    /** The row of this name; null where there is none. */
    public Row row(String resource) {
        return now.row(resource);
    }

    /**
     * The rows that govern a request: one, or more where the path may mean several, or none where it is exempt.
     *
     * @param method in any case; HEAD is governed as GET
     * @param path as it was sent, without the query
     */
    public List<Row> govern(String method, String path) {
        return now.govern(method, path);
    }
}
