// Work that takes longer than a frame, off the GUI thread: one piece at a time, the latest request wins.
#pragma once

#include <QObject>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace tilewright::gui {

class Background : public QObject {
  Q_OBJECT

 public:
  explicit Background(QObject* parent = nullptr);
  /// Asks the running piece to stop and waits for it.
  ~Background() override;

  /// Returns at once: the running piece is asked to stop, one that waits is dropped. `piece` asks its argument whether to stop; what it
  /// returns is called on the thread of this object unless a later request or `cancel` came in between. An exception becomes `refused`.
  using Piece = std::function<std::function<void()>(const std::atomic<bool>& stop)>;
  void run(Piece piece);
  void cancel();

 Q_SIGNALS:
  void refused(const QString& reason);

 private:
  void work();
  struct Request {
    Piece piece;
    std::atomic<bool> stop = false;
  };

  std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<Request> waiting_, running_;
  bool end_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace tilewright::gui
