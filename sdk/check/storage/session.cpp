#include "session.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::check {
namespace {

pc_error no_error() {
    pc_error error{};
    error.struct_size = sizeof error;
    return error;
}

/// The words that the dialects spell differently, SQLite's first.
constexpr std::array<std::array<std::string_view, 3>, 6> k_words{
    {{"{int}", "integer", "bigint"},
     {"{real}", "real", "double precision"},
     {"{blob}", "blob", "bytea"},
     {"{strict}", " strict", ""},
     {"{share}", "", " for share"},
     {"{update}", "", " for update"}}};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// The number of parameters outside of literals and comments; the kit's statements have up to nine.
std::uint32_t count_parameters(std::string_view sql) {
    std::uint32_t count = 0;
    for (std::size_t i = 0; i + 1 < sql.size(); ++i) {
        std::size_t end = i;
        if (sql[i] == '\'') end = sql.find('\'', i + 1);
        if (sql.substr(i).starts_with("/*")) end = sql.find("*/", i);
        if (sql.substr(i).starts_with("--")) end = sql.find('\n', i);
        if (end == std::string_view::npos) return count;
        i = end;
        const char digit = i + 1 < sql.size() ? sql[i + 1] : ' ';
        if ((sql[i] == '?' || sql[i] == '$') && digit >= '1' && digit <= '9') {
            count = std::max(count, static_cast<std::uint32_t>(digit - '0'));
        }
    }
    return count;
}

}  // namespace

Pending::Pending(Unit unit, OnAnswer on_answer)
    : unit_(std::move(unit)), on_answer_(std::move(on_answer)) {
    values_.reserve(unit_.steps.size());
    steps_.reserve(unit_.steps.size());
    for (const Step& step : unit_.steps) {
        const auto& values = values_.emplace_back(to_abi(step.values));
        steps_.push_back({sizeof(pc_step), step.statement, step.expect, values.data(),
                          static_cast<std::uint32_t>(values.size()), 0});
    }
    abi_.struct_size = sizeof abi_;
    abi_.step_count = static_cast<std::uint32_t>(steps_.size());
    abi_.steps = steps_.data();
    abi_.id = sdk::str(unit_.id);
    abi_.timeout_us = unit_.timeout_us;
    abi_.ctx = this;
    abi_.row = [](void* ctx, std::uint32_t step, const pc_value* values, std::uint32_t count) {
        static_cast<Pending*>(ctx)->row(step, values, count);
    };
    abi_.done = [](void* ctx, pc_status status, std::uint32_t step, const pc_error* error) {
        static_cast<Pending*>(ctx)->done(status, step, error);
    };
}

void Pending::row(std::uint32_t step, const pc_value* values, std::uint32_t count) {
    const std::lock_guard lock(mutex_);
    if (answers_ > 0) {
        ++late_rows_;
    } else {
        answer_.rows.push_back({step, from_abi(values, count)});
    }
}

void Pending::done(pc_status status, std::uint32_t step, const pc_error* error) {
    {
        const std::lock_guard lock(mutex_);
        if (++answers_ > 1) return;
        answer_.status = status;
        answer_.step = step;
        if (status != PC_OK && PC_HAS(error, pc_error, message)) answer_.message = error->message;
    }
    // Nobody else writes the answer after the first call.
    if (on_answer_) on_answer_(answer_);
    const std::lock_guard lock(mutex_);
    answered_ = true;
    wake_.notify_all();
}

void Pending::refuse(pc_status status, const char* message) {
    const std::lock_guard lock(mutex_);
    answer_.status = status;
    answer_.message = message;
    answer_.refused = true;
    answered_ = true;
}

Answer Pending::wait(std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait_for(lock, patience, [&] { return answered_; })) {
        throw Failed("a unit was not answered within " + std::to_string(patience.count()) + " s");
    }
    return answer_;
}

std::optional<Answer> Pending::answer() const {
    const std::lock_guard lock(mutex_);
    return answered_ ? std::optional(answer_) : std::nullopt;
}

int Pending::answers() const {
    const std::lock_guard lock(mutex_);
    return answers_;
}

int Pending::late_rows() const {
    const std::lock_guard lock(mutex_);
    return late_rows_;
}

Session::Session(const Context& context, const std::string& config)
    : context_(context), config_(config) {
    pc_error error = no_error();
    const pc_status status = context.storage.open(sdk::str(config_), &store_, &error);
    if (status != PC_OK) throw NotOpened(status, status_name(status) + " (" + error.message + ")");
}

Session::~Session() {
    if (abandoned_) {
        // The storage may still come back to these: better lost memory than a write to freed
        // memory.
        for (auto& pending : pending_) static_cast<void>(pending.release());
        return;
    }
    close();
}

void Session::close() {
    // Answers that come meanwhile may still submit.
    if (store_ != nullptr) context_.storage.close(store_);
    store_ = nullptr;
}

std::string Session::sql(std::string_view text) const {
    const bool postgresql = context_.postgresql();
    std::string out(text);
    for (const auto& word : k_words) replace_all(out, word[0], word[postgresql ? 2 : 1]);
    if (postgresql) replace_all(out, "?", "$");
    return out;
}

pc_status Session::try_script(std::string_view text, std::string* message) {
    const std::string script = sql(text);
    pc_error error = no_error();
    const pc_status status = context_.storage.exec_script(store_, sdk::str(script), &error);
    if (message != nullptr) *message = error.message;
    return status;
}

void Session::script(std::string_view text) {
    std::string message;
    const pc_status status = try_script(text, &message);
    expect_status("exec_script", PC_OK, status, message);
}

std::uint32_t Session::add(std::string_view text, Kind kind) {
    const std::uint32_t id = next_id_++;
    replace(id, text, kind);
    return id;
}

void Session::replace(std::uint32_t id, std::string_view text, Kind kind) {
    const std::string dialect_text = sql(text);
    const std::string name = "kit." + std::to_string(id);
    const pc_statement statement{sizeof(pc_statement),
                                 id,
                                 kind == Kind::read ? PC_STATEMENT_READ : 0u,
                                 count_parameters(dialect_text),
                                 sdk::str(name),
                                 sdk::str(dialect_text)};
    pc_error error = no_error();
    const pc_status status = context_.storage.catalogue(store_, &statement, 1, &error);
    expect_status("catalogue", PC_OK, status, error.message);
}

Pending& Session::submit_async(Unit unit, Pending::OnAnswer on_answer) {
    auto made = std::make_unique<Pending>(std::move(unit), std::move(on_answer));
    Pending& pending = *made;
    {
        const std::lock_guard lock(mutex_);
        pending_.push_back(std::move(made));
    }
    pc_error error = no_error();
    const pc_status status = context_.storage.submit(store_, &pending.abi(), &error);
    if (status != PC_OK) pending.refuse(status, error.message);
    return pending;
}

Answer Session::wait(Pending& pending) {
    try {
        return pending.wait(context_.options.patience);
    } catch (const Failed&) {
        abandoned_ = true;
        throw;
    }
}

Answer Session::settle(const Unit& unit) {
    constexpr int k_attempts = 1'000;
    for (int attempt = 1;; ++attempt) {
        Answer answer = submit(unit);
        if (answer.status != PC_RETRY) return answer;
        expect(attempt < k_attempts, "a unit was answered PC_RETRY " + std::to_string(k_attempts) +
                                         " times (" + answer.message + ")");
    }
}

Answer Session::apply(const Unit& unit) {
    Answer answer = settle(unit);
    expect_status("a unit", PC_OK, answer);
    return answer;
}

QueryResult Session::query(std::uint32_t statement, const Row& values, std::int64_t timeout_us,
                           const std::function<bool(const Row&)>& more) {
    struct Call {
        QueryResult result;
        const std::function<bool(const Row&)>& more;
        std::exception_ptr thrown = nullptr;
    } call{{}, more};
    const auto abi_values = to_abi(values);
    pc_query query{};
    query.struct_size = sizeof query;
    query.statement = statement;
    query.values = abi_values.data();
    query.value_count = static_cast<std::uint32_t>(abi_values.size());
    query.timeout_us = timeout_us;
    query.ctx = &call;
    query.row = [](void* ctx, const pc_value* row, std::uint32_t count) -> std::int32_t {
        auto& self = *static_cast<Call*>(ctx);
        try {
            self.result.rows.push_back(from_abi(row, count));
            return self.more && !self.more(self.result.rows.back()) ? 1 : 0;
        } catch (...) {
            self.thrown = std::current_exception();
            return 1;
        }
    };
    pc_error error = no_error();
    call.result.status = context_.storage.query(store_, &query, &error);
    if (call.thrown) std::rethrow_exception(call.thrown);
    call.result.message = error.message;
    return std::move(call.result);
}

std::vector<Row> Session::rows(std::uint32_t statement, const Row& values) {
    auto result = query(statement, values);
    expect_status("a query", PC_OK, result);
    return std::move(result.rows);
}

std::int64_t Session::integer(std::uint32_t statement, const Row& values) {
    const auto all = rows(statement, values);
    expect(all.size() == 1 && all[0].size() == 1 && std::holds_alternative<std::int64_t>(all[0][0]),
           "a query: expected one row of one integer, found " + std::to_string(all.size()) +
               " rows" + (all.empty() ? "" : ", the first " + to_text(all[0])));
    return std::get<std::int64_t>(all[0][0]);
}

std::uint32_t Session::gate_statement() {
    if (gate_statement_ == 0) {
        script("create table if not exists kit_gate (n {int} not null){strict}");
        gate_statement_ = write("update kit_gate set n = n + 1");
    }
    return gate_statement_;
}

void Session::each_pending(const std::function<void(const Pending&)>& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& pending : pending_) visit(*pending);
}

Gate::Gate(Session& session) {
    const auto statement = session.gate_statement();
    const auto hold = [state = state_](const Answer&) {
        std::unique_lock lock(state->mutex);
        state->held = true;
        state->changed.notify_all();
        state->changed.wait(lock, [&] { return state->open; });
    };
    thread_ = std::thread([state = state_, &session, statement, hold] {
        const Pending& pending = session.submit_async({{{statement}}}, hold);
        const auto answer = pending.answer();
        if (!answer || !answer->refused) return;
        const std::lock_guard lock(state->mutex);
        state->held = true;  // not accepted, so there is nothing to hold
        state->changed.notify_all();
    });
    std::unique_lock lock(state_->mutex);
    const auto patience = session.context().options.patience;
    if (state_->changed.wait_for(lock, patience, [&] { return state_->held; })) return;
    state_->open = true;
    lock.unlock();
    thread_.join();
    throw Failed("a unit was not answered");
}

Gate::~Gate() {
    open();
    thread_.join();
}

void Gate::open() {
    const std::lock_guard lock(state_->mutex);
    state_->open = true;
    state_->changed.notify_all();
}

std::vector<Answer> submit_together(Session& session, std::vector<Unit> units) {
    std::vector<Pending*> pending;
    {
        Gate gate(session);
        for (Unit& unit : units) pending.push_back(&session.submit_async(std::move(unit)));
    }
    std::vector<Answer> answers;
    answers.reserve(pending.size());
    for (Pending* each : pending) answers.push_back(session.wait(*each));
    return answers;
}

void in_parallel(int count, const std::function<void(int)>& work) {
    std::mutex mutex;
    std::exception_ptr first;
    std::vector<std::thread> threads;
    threads.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            try {
                work(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!first) first = std::current_exception();
            }
        });
    }
    for (auto& thread : threads) thread.join();
    if (first) std::rethrow_exception(first);
}

}  // namespace paperclip::check
