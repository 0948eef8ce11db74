package dev.sluice.llm.estimate;

import java.util.ArrayList;
import java.util.List;

/** Values by the longest prefix of a model's name, in estimates only: a price holds for one model. Immutable. */
final class ModelTable<T> {

    /** Before the names of Anthropic's models on Bedrock. */
    private static final String PROVIDER = "anthropic.";

    private record Row<T>(String prefix, T value) {
    }

    static final class Builder<T> {

        private final List<Row<T>> rows = new ArrayList<>();

        Builder<T> add(String prefix, T value) {
            rows.add(new Row<>(prefix, value));
            return this;
        }

        /** @param otherwise the value of all other models */
        ModelTable<T> build(T otherwise) {
            return new ModelTable<>(List.copyOf(rows), otherwise);
        }
    }

    private final List<Row<T>> rows;
    private final T otherwise;

    private ModelTable(List<Row<T>> rows, T otherwise) {
        this.rows = rows;
        this.otherwise = otherwise;
    }

    static <T> Builder<T> builder() {
        return new Builder<>();
    }

    /** @param model the model's name, with or without the names of a provider or region before it */
    T find(String model) {
        int provider = model.lastIndexOf(PROVIDER);
        var name = model.substring(provider < 0 ? model.lastIndexOf('/') + 1 : provider + PROVIDER.length());
        Row<T> best = null;
        for (var row : rows) {
            if (name.startsWith(row.prefix()) && (best == null || row.prefix().length() > best.prefix().length())) {
                best = row;
            }
        }
        return best == null ? otherwise : best.value();
    }
}
