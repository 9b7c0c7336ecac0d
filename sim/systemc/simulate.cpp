#include "sim/systemc/simulate.hpp"

#include <fmt/format.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <memory>
#include <systemc>
#include <tlm>

#include "sim/systemc/kernel/kernel.hpp"

namespace tilewright {
namespace {

class Port;

/// A transaction in flight. Lives in the dispatcher's pool; those that wait for it are called when it ends.
struct Flight final : tlm::tlm_extension<Flight> {
  tlm::tlm_generic_payload payload;
  Transaction transaction;
  Port* port = nullptr;
  int waits = 0;  // transactions that have to end first
  bool ended = false;
  bool retired = false;  // observed; in flight only because a slot still names it
  int slots = 0;         // that name it
  Ticks start = 0;
  std::vector<Flight*> waiters;

  tlm::tlm_extension_base* clone() const override { return nullptr; }  // a flight is never copied
  void copy_from(const tlm::tlm_extension_base&) override {}
};

Ticks now() { return sc_core::sc_time_stamp().value(); }

/// An exception must not cross the kernel, which would wrap it: it waits here, and every process does nothing from then on. The kernel then runs
/// out of events by itself; it would not give back those that a stop leaves pending.
struct Failure {
  std::exception_ptr what;
  template <class Body>
  void guard(const Body& body) {
    if (what != nullptr) return;
    try {
      body();
    } catch (...) { what = std::current_exception(); }
  }
};

/// A resource: serves what arrives in order, one at a time. Its state machine runs when a service ends, and when the latency of one
/// has passed.
class Port final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<Port> socket{"socket"};

  Port(sc_core::sc_module_name name, Ticks latency, Failure& failure)
      : sc_module(name), latency_(latency), failure_(failure) {
    SC_HAS_PROCESS(Port);
    SC_METHOD(end_service);
    sensitive << served_;
    dont_initialize();
    SC_METHOD(hand_out);
    sensitive << there_;
    dont_initialize();
    socket.register_nb_transport_fw(this, &Port::request);
  }
  /// Starts the head of the queue if it may.
  void serve() {
    while (!busy_ && !queue_.empty() && queue_.front()->waits == 0) {
      Flight& head = *queue_.front();
      head.start = now();
      const Ticks time = head.transaction.ticks;
      if (time > 0) {
        busy_ = true;
        served_.notify(sc_core::sc_time::from_value(time));
        return;
      }
      queue_.pop_front();
      finish(head);
    }
  }
  const Flight* head() const { return queue_.empty() ? nullptr : queue_.front(); }

 private:
  tlm::tlm_sync_enum request(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
    Flight* flight = nullptr;
    payload.get_extension(flight);
    queue_.push_back(flight);
    phase = tlm::END_REQ;
    serve();
    return tlm::TLM_UPDATED;
  }
  void end_service() {
    failure_.guard([this] {
      Flight& head = *queue_.front();
      queue_.pop_front();
      busy_ = false;
      finish(head);
      serve();
    });
  }
  void finish(Flight& flight) {
    if (latency_ == 0) {
      respond(flight);
      return;
    }
    late_.emplace_back(now() + latency_, &flight);
    if (late_.size() == 1) there_.notify(sc_core::sc_time::from_value(latency_));
  }
  void hand_out() {
    failure_.guard([this] {
      while (!late_.empty() && late_.front().first == now()) {
        Flight& flight = *late_.front().second;
        late_.pop_front();
        respond(flight);
      }
      if (!late_.empty()) there_.notify(sc_core::sc_time::from_value(late_.front().first - now()));
    });
  }
  void respond(Flight& flight) {
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    flight.payload.set_response_status(tlm::TLM_OK_RESPONSE);
    socket->nb_transport_bw(flight.payload, phase, delay);
  }

  Ticks latency_;
  Failure& failure_;
  std::deque<Flight*> queue_;
  std::deque<std::pair<Ticks, Flight*>> late_;  // served, not yet there
  bool busy_ = false;
  sc_core::sc_event served_, there_;
};

/// Issues the program in order, far enough ahead that no port runs dry; keeps the slots.
class Dispatcher final : public sc_core::sc_module {
 public:
  Dispatcher(sc_core::sc_module_name name, Program& program, Observer* observer, const PlayLimits& limits,
             Failure& failure)
      : sc_module(name),
        program_(program),
        observer_(observer),
        failure_(failure),
        watch_(limits),
        slots_(program.slots(), nullptr) {
    SC_HAS_PROCESS(Dispatcher);
    SC_METHOD(issue);
    sensitive << room_;
    for (const Resource& resource : program.resources()) {
      ports_.push_back(std::make_unique<Port>(sc_core::sc_gen_unique_name("port"), resource.latency, failure));
      sockets_.push_back(
          std::make_unique<tlm_utils::simple_initiator_socket<Dispatcher>>(sc_core::sc_gen_unique_name("socket")));
      sockets_.back()->register_nb_transport_bw(this, &Dispatcher::response);
      sockets_.back()->bind(ports_.back()->socket);
      names_.push_back(resource.name);
    }
  }
  ~Dispatcher() override {
    for (const auto& flight : pool_) flight->payload.clear_extension(flight.get());
  }
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  bool finished() const { return ended_ && flying_.empty(); }
  PlayResult result() const { return {end_, watch_.transactions()}; }
  /// What stands at every port that cannot go on.
  std::string stuck() const {
    std::string text;
    for (std::size_t p = 0; p < ports_.size(); ++p) {
      const Flight* head = ports_[p]->head();
      if (head == nullptr) continue;
      text += fmt::format("{}{}: step {} of layer {}", text.empty() ? "" : "; ", names_[p], head->transaction.step,
                          program_.kernels()[static_cast<std::size_t>(head->transaction.kernel)].layer);
    }
    return text;
  }

 private:
  static constexpr std::size_t most_open =
      4096;  // issued, not ended; those that ended before an older one do not count

  Flight& take() {
    if (idle_.empty()) {
      pool_.push_back(std::make_unique<Flight>());
      pool_.back()->payload.set_extension(pool_.back().get());
      idle_.push_back(pool_.back().get());
    }
    Flight& flight = *idle_.back();
    idle_.pop_back();
    flight.waits = flight.slots = 0;
    flight.ended = flight.retired = false;
    return flight;
  }
  void give_back(Flight& flight) {
    if (flight.retired && flight.slots == 0) idle_.push_back(&flight);
  }
  void name(std::int32_t slot, Flight* flight) {
    Flight*& holder = slots_[static_cast<std::size_t>(slot)];
    if (flight != nullptr) ++flight->slots;
    Flight* before = holder;
    holder = flight;
    if (before != nullptr) {
      --before->slots;
      give_back(*before);
    }
  }

  void issue() {
    failure_.guard([this] {
      while (!ended_ && open_ < most_open) {
        batch_.clear();
        ended_ = !program_.next(batch_);
        for (const Transaction& transaction : batch_) send(transaction);
      }
      full_ = !ended_;
    });
  }
  void send(const Transaction& transaction) {
    Flight& flight = take();
    flight.transaction = transaction;
    for (const std::int32_t slot : transaction.after) {
      Flight* before = slot == no_slot ? nullptr : slots_[static_cast<std::size_t>(slot)];
      if (before == nullptr || before->ended || transaction.work == Work::rename) continue;
      before->waiters.push_back(&flight);
      ++flight.waits;
    }
    flying_.push_back(&flight);
    if (transaction.work == Work::rename) {
      name(transaction.publish, slots_[static_cast<std::size_t>(transaction.after[0])]);
      flight.ended = true;
      retire();
      return;
    }
    ++open_;
    if (transaction.publish != no_slot) name(transaction.publish, &flight);
    const auto resource = static_cast<std::size_t>(transaction.resource);
    flight.port = ports_[resource].get();
    flight.payload.set_command(transaction.work == Work::store ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    flight.payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    (*sockets_[resource])->nb_transport_fw(flight.payload, phase, delay);
  }

  tlm::tlm_sync_enum response(tlm::tlm_generic_payload& payload, tlm::tlm_phase&, sc_core::sc_time&) {
    Flight* flight = nullptr;
    payload.get_extension(flight);
    flight->ended = true;
    end_ = std::max(end_, now());
    watch_.count(now());
    for (Flight* waiter : flight->waiters) {
      if (--waiter->waits == 0) ready_.push_back(waiter->port);
    }
    flight->waiters.clear();
    retire();
    if (--open_ < most_open / 2 && full_) {
      full_ = false;
      room_.notify(sc_core::SC_ZERO_TIME);
    }
    if (settling_) return tlm::TLM_COMPLETED;
    settling_ = true;  // services of no length answer at once: a list here instead of a call in a call
    while (!ready_.empty()) {
      Port* port = ready_.back();
      ready_.pop_back();
      port->serve();
    }
    settling_ = false;
    return tlm::TLM_COMPLETED;
  }
  /// Reports in program order.
  void retire() {
    while (!flying_.empty() && flying_.front()->ended) {
      Flight& flight = *flying_.front();
      flying_.pop_front();
      if (observer_ != nullptr)
        observer_->served(flight.transaction, flight.start, flight.start + flight.transaction.ticks);
      flight.retired = true;
      give_back(flight);
    }
  }

  Program& program_;
  Observer* observer_;
  Failure& failure_;
  Watch watch_;
  std::vector<Flight*> slots_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<std::unique_ptr<tlm_utils::simple_initiator_socket<Dispatcher>>> sockets_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Flight>> pool_;
  std::vector<Flight*> idle_;
  std::deque<Flight*> flying_;  // not yet reported
  std::size_t open_ = 0;
  std::vector<Transaction> batch_;
  std::vector<Port*> ready_;
  sc_core::sc_event room_;
  bool ended_ = false, full_ = false, settling_ = false;
  Ticks end_ = 0;
};

}  // namespace

PlayResult simulate(Program& program, Observer* observer, const PlayLimits& limits) {
  const SystemCContext context;
  Failure failure;
  Dispatcher dispatcher("chip", program, observer, limits, failure);
  sc_core::sc_start();
  if (failure.what != nullptr) std::rethrow_exception(failure.what);
  if (!dispatcher.finished()) {
    throw PlayError(fmt::format("deadlock at cycle {:.0f}: nothing can move; {}",
                                cycles_of(dispatcher.result().end).value, dispatcher.stuck()));
  }
  return dispatcher.result();
}

}  // namespace tilewright
