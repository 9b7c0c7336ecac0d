#include "gui/viewmodels/background.hpp"

#include <exception>
#include <utility>

namespace tilewright::gui {

Background::Background(QObject* parent) : QObject(parent), thread_([this] { work(); }) {}

Background::~Background() {
  cancel();
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Background::run(Piece piece) {
  cancel();
  {
    const std::lock_guard lock(mutex_);
    waiting_ = std::make_shared<Request>();
    waiting_->piece = std::move(piece);
  }
  wake_.notify_all();
}

void Background::cancel() {
  const std::lock_guard lock(mutex_);
  waiting_.reset();
  if (running_) running_->stop = true;
}

void Background::work() {
  for (;;) {
    std::shared_ptr<Request> request;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return end_ || waiting_; });
      if (end_) return;
      request = running_ = std::move(waiting_);
    }
    std::function<void()> deliver;
    try {
      deliver = request->piece(request->stop);
    } catch (const std::exception& error) {
      deliver = [this, reason = QString::fromUtf8(error.what())] { Q_EMIT refused(reason); };
    }
    // `running_` stays until it has been delivered, so that a later request can still stop that.
    QMetaObject::invokeMethod(
        this,
        [request, deliver] {
          if (!request->stop && deliver) deliver();
        },
        Qt::QueuedConnection);
  }
}

}  // namespace tilewright::gui
