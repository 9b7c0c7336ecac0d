#include "gui/views/study_dialog.hpp"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <algorithm>
#include <array>

#include "arch_models/load.hpp"

namespace tilewright::gui {
namespace {

/// Strategies that a draft offers: every point, or so many of them.
constexpr std::array strategies{Strategy::grid, Strategy::random, Strategy::nsga2};

/// As one would type it into a list of YAML.
std::string typed(const std::string& word) {
  return word.find_first_of(",:#[]{}\"'&*!|>%@` ") == std::string::npos ? word : quoted(word);
}

bool of_the_network(const std::string& key) { return key.starts_with("model."); }

}  // namespace

StudyDialog::StudyDialog(Project project, std::vector<Knob> knobs, QWidget* parent)
    : QDialog(parent),
      project_(std::move(project)),
      knobs_(std::move(knobs)),
      networks_(new QComboBox),
      strategy_(new QComboBox),
      chips_(new QLineEdit(QString::fromStdString(typed(project_.chip)))),
      budget_(new QSpinBox),
      told_(new QLabel),
      buttons_(new QDialogButtonBox(QDialogButtonBox::Save | QDialogButtonBox::Cancel)) {
  setWindowTitle(tr("New study"));
  networks_->setObjectName("draft.networks");
  networks_->addItem(tr("the network shown"));
  for (const ScoredSpace& space : scored_spaces()) networks_->addItem(QString::fromStdString(space.title));
  chips_->setObjectName("draft.chips");
  chips_->setToolTip(tr("names of chips or of their files, separated by commas"));
  strategy_->setObjectName("draft.strategy");
  strategy_->addItems({tr("every point"), tr("points drawn at random"), tr("the best of each generation (NSGA-II)")});
  budget_->setObjectName("draft.budget");
  budget_->setAccessibleName(tr("Points"));
  budget_->setRange(1, 1'000'000);
  budget_->setValue(200);
  told_->setObjectName("draft.told");
  told_->setWordWrap(true);
  auto* search = new QHBoxLayout;
  search->addWidget(strategy_, 1);
  search->addWidget(budget_);
  auto* goals = new QHBoxLayout;
  for (const DraftGoal& goal : draft_goals()) {
    auto* box = new QCheckBox(QString::fromStdString(goal.metric));
    box->setObjectName("draft.goal." + box->text());
    box->setChecked(goal.metric == "latency" || goal.metric == "energy");
    goals->addWidget(box);
    goals_.push_back(box);
    connect(box, &QCheckBox::toggled, this, &StudyDialog::refresh);
  }
  goals->addStretch();
  auto* room = new QWidget;
  build_axes(*room);
  auto* scroll = new QScrollArea;
  scroll->setWidget(room);
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setMinimumSize(620, 300);
  auto* form = new QFormLayout(this);
  form->addRow(tr("&Networks"), networks_);
  form->addRow(tr("&Chips"), chips_);
  form->addRow(tr("Varied"), scroll);
  form->addRow(tr("Objectives"), goals);
  auto* search_label = new QLabel(tr("&Search"));
  search_label->setBuddy(strategy_);
  form->addRow(search_label, search);
  form->addRow(told_);
  form->addRow(buttons_);
  for (QComboBox* box : {networks_, strategy_})
    connect(box, &QComboBox::currentIndexChanged, this, [this] { refresh(); });
  connect(chips_, &QLineEdit::textChanged, this, &StudyDialog::refresh);
  connect(budget_, &QSpinBox::valueChanged, this, [this] { refresh(); });
  connect(buttons_, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons_, &QDialogButtonBox::rejected, this, &QDialog::reject);
  refresh();
}

void StudyDialog::build_axes(QWidget& room) {
  auto* grid = new QGridLayout(&room);
  grid->setColumnStretch(1, 1);
  for (std::size_t i = 0; i < knobs_.size(); ++i) {
    const Knob& knob = knobs_[i];
    auto* varies = new QCheckBox(knob.title());
    auto* values = new QLineEdit(QString::fromStdString(usual_values(knob)));
    varies->setObjectName("draft.varies." + QString::fromStdString(knob.key));
    values->setObjectName("draft.values." + QString::fromStdString(knob.key));
    values->setAccessibleName(tr("values of %1").arg(knob.title()));
    values->setEnabled(false);
    grid->addWidget(varies, static_cast<int>(i), 0);
    grid->addWidget(values, static_cast<int>(i), 1);
    axes_.push_back({knob, varies, values});
    connect(varies, &QCheckBox::toggled, this, [this, values](bool on) {
      values->setEnabled(on);
      refresh();
    });
    connect(values, &QLineEdit::textChanged, this, &StudyDialog::refresh);
  }
}

StudyDraft StudyDialog::draft() const {
  StudyDraft draft;
  draft.project = project_;
  const int network = networks_->currentIndex();
  if (network > 0) draft.space = &scored_spaces()[static_cast<std::size_t>(network) - 1];
  for (const Axis& axis : axes_) {
    if (axis.varies->isChecked() && axis.varies->isEnabled())
      draft.axes.emplace_back(axis.knob.key, axis.values->text().toStdString());
  }
  for (std::size_t g = 0; g < goals_.size(); ++g) {
    if (goals_[g]->isChecked() && goals_[g]->isEnabled()) draft.goals.push_back(draft_goals()[g]);
  }
  draft.chips = chips_->text().toStdString();
  draft.strategy = strategies[static_cast<std::size_t>(strategy_->currentIndex())];
  draft.budget = budget_->value();
  return draft;
}

QString StudyDialog::text() const { return QString::fromStdString(draft_text(draft())); }

/// The number of points, or what is wrong.
void StudyDialog::refresh() {
  const bool space = networks_->currentIndex() > 0;
  for (const Axis& axis : axes_) {  // sizes of the network shown are no sizes of those of a space
    const std::string& key = axis.knob.key;
    axis.varies->setEnabled(!space || !of_the_network(key) || key == "model.batch" || key == "model.precision");
  }
  for (std::size_t g = 0; g < goals_.size(); ++g) goals_[g]->setEnabled(space || draft_goals()[g].metric != "accuracy");
  budget_->setEnabled(strategy_->currentIndex() > 0);
  bool good = false;
  try {
    const StudyRequest request = parse_study(text().toStdString(), "study");
    for (const std::string& chip : request.chips) load_chip(chip);
    const std::int64_t all = space_size(axis_sizes(request));
    const std::int64_t points = request.budget > 0 ? std::min(request.budget, all) : all;
    told_->setText(tr("points: %1").arg(points));
    good = true;
  } catch (const std::exception& error) { told_->setText(QString::fromStdString(error.what())); }
  buttons_->button(QDialogButtonBox::Save)->setEnabled(good);
}

}  // namespace tilewright::gui
