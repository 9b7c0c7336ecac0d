<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ru_RU" sourcelanguage="en">
    <context>
        <name>Chip</name>
        <message>
            <source>a value is missing; the file says %1</source>
            <translation>нет значения; в файле %1</translation>
        </message>
        <message>
            <source>%1 of them</source>
            <translation>всего %1</translation>
        </message>
        <message>
            <source>no limit</source>
            <translation>без предела</translation>
        </message>
        <message>
            <source>%1, halved</source>
            <translation>%1, пополам</translation>
        </message>
        <message>
            <source>%1 / %2 bit</source>
            <translation>%1 / %2 бит</translation>
        </message>
        <message>
            <source>%1 / word</source>
            <translation>%1 / слово</translation>
        </message>
        <message>
            <source>no bound</source>
            <translation>не предел</translation>
        </message>
        <message>
            <source>each</source>
            <translation>каждый</translation>
        </message>
        <message>
            <source>compute</source>
            <translation>вычисление</translation>
        </message>
        <message>
            <source>%1 lanes</source>
            <translation>линий: %1</translation>
        </message>
        <message>
            <source>%1 MAC/cycle</source>
            <translation>%1 MAC/такт</translation>
        </message>
    </context>
    <context>
        <name>Export</name>
        <message>
            <source>cannot write this file</source>
            <translation>этот файл нельзя записать</translation>
        </message>
        <message>
            <source>name a file that ends in .png, .svg, .pdf or .csv</source>
            <translation>имя файла должно кончаться на .png, .svg, .pdf или .csv</translation>
        </message>
    </context>
    <context>
        <name>Keys</name>
        <message>
            <source>move across</source>
            <translation>сдвиг по горизонтали</translation>
        </message>
        <message>
            <source>move up and down</source>
            <translation>сдвиг по вертикали</translation>
        </message>
        <message>
            <source>zoom</source>
            <translation>масштаб</translation>
        </message>
    </context>
    <context>
        <name>Knobs</name>
        <message>
            <source>clock</source>
            <translation>частота</translation>
        </message>
        <message>
            <source>array rows</source>
            <translation>строки массива</translation>
        </message>
        <message>
            <source>array cols</source>
            <translation>столбцы массива</translation>
        </message>
        <message>
            <source>batch</source>
            <translation>пакет (batch)</translation>
        </message>
        <message>
            <source>number format</source>
            <translation>формат чисел</translation>
        </message>
        <message>
            <source>%1 bandwidth</source>
            <translation>%1: обмен</translation>
        </message>
        <message>
            <source>%1 capacity</source>
            <translation>%1: объём</translation>
        </message>
        <message>
            <source>sequence length</source>
            <translation>длина последовательности</translation>
        </message>
        <message>
            <source>cached tokens</source>
            <translation>токены в кэше</translation>
        </message>
        <message>
            <source>time steps</source>
            <translation>шаги по времени</translation>
        </message>
        <message>
            <source>image side</source>
            <translation>сторона изображения</translation>
        </message>
    </context>
    <context>
        <name>LayersModel</name>
        <message>
            <source>Layer</source>
            <translation>Слой</translation>
        </message>
        <message>
            <source>Operator</source>
            <translation>Оператор</translation>
        </message>
        <message>
            <source>Repeat</source>
            <translation>Повторы</translation>
        </message>
        <message>
            <source>MACs</source>
            <translation>MAC</translation>
        </message>
        <message>
            <source>Latency</source>
            <translation>Задержка</translation>
        </message>
        <message>
            <source>Energy</source>
            <translation>Энергия</translation>
        </message>
        <message>
            <source>Bound by</source>
            <translation>Ограничен</translation>
        </message>
        <message>
            <source>Utilisation</source>
            <translation>Загрузка</translation>
        </message>
        <message>
            <source>Operations per byte</source>
            <translation>Операций на байт</translation>
        </message>
        <message>
            <source>Gap</source>
            <translation>Зазор</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>Формат</translation>
        </message>
    </context>
    <context>
        <name>Validation</name>
        <message>
            <source>not validated</source>
            <translation>не проверено</translation>
        </message>
        <message>
            <source>kernel times validated on this device</source>
            <translation>времена ядер проверены на этом устройстве</translation>
        </message>
        <message>
            <source>kernel times validated on other devices</source>
            <translation>времена ядер проверены на других устройствах</translation>
        </message>
        <message>
            <source>%1: mean error %2 %</source>
            <translation>%1: средняя ошибка %2 %</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::BarsView</name>
        <message>
            <source>Time and energy</source>
            <translation>Время и энергия</translation>
        </message>
        <message>
            <source>What the bars show</source>
            <translation>Что показывают столбцы</translation>
        </message>
        <message>
            <source>Order of the bars</source>
            <translation>Порядок столбцов</translation>
        </message>
        <message>
            <source>time by bound</source>
            <translation>время по ограничению</translation>
        </message>
        <message>
            <source>energy by memory level</source>
            <translation>энергия по уровням памяти</translation>
        </message>
        <message>
            <source>in network order</source>
            <translation>в порядке сети</translation>
        </message>
        <message>
            <source>largest first</source>
            <translation>сначала наибольшие</translation>
        </message>
        <message>
            <source>layer</source>
            <translation>слой</translation>
        </message>
        <message>
            <source>seconds</source>
            <translation>секунды</translation>
        </message>
        <message>
            <source>joules</source>
            <translation>джоули</translation>
        </message>
        <message>
            <source>waterfall from peak to achieved</source>
            <translation>каскад от пика до достигнутого</translation>
        </message>
        <message>
            <source>whole network</source>
            <translation>вся сеть</translation>
        </message>
        <message>
            <source>%1 has no multiply-accumulates</source>
            <translation>%1: нет умножений с накоплением</translation>
        </message>
        <message>
            <source>operations per second</source>
            <translation>операций в секунду</translation>
        </message>
        <message>
            <source>peak</source>
            <translation>пик</translation>
        </message>
        <message>
            <source>achieved</source>
            <translation>достигнуто</translation>
        </message>
        <message>
            <source>%1
%2 % of peak</source>
            <translation>%1
%2 % пика</translation>
        </message>
        <message>
            <source>lanes without work</source>
            <translation>дорожки без работы</translation>
        </message>
        <message>
            <source>waiting for %1</source>
            <translation>ожидание %1</translation>
        </message>
        <message>
            <source>start and drain</source>
            <translation>запуск и слив</translation>
        </message>
        <message>
            <source>other operators</source>
            <translation>другие операторы</translation>
        </message>
        <message>
            <source>software</source>
            <translation>ПО</translation>
        </message>
        <message>
            <source>pipeline</source>
            <translation>конвейер</translation>
        </message>
        <message>
            <source>fused and not hidden</source>
            <translation>слитое и нескрытое</translation>
        </message>
        <message>
            <source>compute</source>
            <translation>вычисление</translation>
        </message>
        <message>
            <source>links</source>
            <translation>связи</translation>
        </message>
        <message>
            <source>static</source>
            <translation>статическая</translation>
        </message>
        <message>
            <source>other memory</source>
            <translation>прочая память</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::ChipView</name>
        <message>
            <source>Save chip</source>
            <translation>Сохранить чип</translation>
        </message>
        <message>
            <source>Chips (*.yaml)</source>
            <translation>Чипы (*.yaml)</translation>
        </message>
        <message>
            <source>Saved as %1; open it to go on from there.</source>
            <translation>Сохранено как %1; откройте, чтобы продолжить отсюда.</translation>
        </message>
        <message>
            <source>Chip</source>
            <translation>Чип</translation>
        </message>
        <message>
            <source>Levels of the chip and their links</source>
            <translation>Уровни чипа и их связи</translation>
        </message>
        <message>
            <source>Figures of the chip file</source>
            <translation>Величины файла чипа</translation>
        </message>
        <message>
            <source>Save chip as…</source>
            <translation>Сохранить чип как…</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::CompareModel</name>
        <message>
            <source>whole network</source>
            <translation>вся сеть</translation>
        </message>
        <message>
            <source>Layer</source>
            <translation>Слой</translation>
        </message>
        <message>
            <source>against the first</source>
            <translation>к первому</translation>
        </message>
        <message>
            <source>energy</source>
            <translation>энергия</translation>
        </message>
        <message>
            <source>latency</source>
            <translation>задержка</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::CompareView</name>
        <message>
            <source>Compare</source>
            <translation>Сравнение</translation>
        </message>
        <message>
            <source>Put this answer aside</source>
            <translation>Отложить этот ответ</translation>
        </message>
        <message>
            <source>Clear</source>
            <translation>Очистить</translation>
        </message>
        <message>
            <source>Put an answer aside, then choose another chip or network: both stand here side by side.</source>
            <translation>Отложите ответ и выберите другой чип или сеть: оба встанут здесь рядом.</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::GraphView</name>
        <message>
            <source>Network graph</source>
            <translation>Граф сети</translation>
        </message>
        <message>
            <source>Overview</source>
            <translation>Обзор</translation>
        </message>
        <message>
            <source>Colour of the boxes</source>
            <translation>Цвет блоков</translation>
        </message>
        <message>
            <source>Search for a layer</source>
            <translation>Поиск слоя</translation>
        </message>
        <message>
            <source>layer or operator</source>
            <translation>слой или оператор</translation>
        </message>
        <message>
            <source>repeated blocks once</source>
            <translation>повторы один раз</translation>
        </message>
        <message>
            <source>colour by bound</source>
            <translation>цвет: ограничение</translation>
        </message>
        <message>
            <source>colour by time</source>
            <translation>цвет: время</translation>
        </message>
        <message>
            <source>colour by energy</source>
            <translation>цвет: энергия</translation>
        </message>
        <message>
            <source>colour by format</source>
            <translation>цвет: формат</translation>
        </message>
        <message>
            <source>0</source>
            <translation>0</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::LayersView</name>
        <message>
            <source>Layers</source>
            <translation>Слои</translation>
        </message>
        <message>
            <source>Filter of the layers</source>
            <translation>Отбор слоёв</translation>
        </message>
        <message>
            <source>filter</source>
            <translation>отбор</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::MainWindow</name>
        <message>
            <source>&amp;Network</source>
            <translation>&amp;Сеть</translation>
        </message>
        <message>
            <source>&amp;Chip</source>
            <translation>&amp;Чип</translation>
        </message>
        <message>
            <source>&amp;Objective</source>
            <translation>&amp;Цель</translation>
        </message>
        <message>
            <source>En&amp;gine</source>
            <translation>&amp;Движок</translation>
        </message>
        <message>
            <source>What if</source>
            <translation>Что если</translation>
        </message>
        <message>
            <source>Layers</source>
            <translation>Слои</translation>
        </message>
        <message>
            <source>Why?</source>
            <translation>Почему?</translation>
        </message>
        <message>
            <source>&amp;File</source>
            <translation>&amp;Файл</translation>
        </message>
        <message>
            <source>&amp;Open…</source>
            <translation>&amp;Открыть…</translation>
        </message>
        <message>
            <source>Open &amp;recent</source>
            <translation>&amp;Недавние</translation>
        </message>
        <message>
            <source>Sa&amp;mple projects</source>
            <translation>&amp;Примеры</translation>
        </message>
        <message>
            <source>MobileNetV2 on an edge array</source>
            <translation>MobileNetV2 на малом массиве</translation>
        </message>
        <message>
            <source>ResNet-50 on an A100</source>
            <translation>ResNet-50 на A100</translation>
        </message>
        <message>
            <source>LLaMA-7B, one token, on a TPU v4i</source>
            <translation>LLaMA-7B, один токен, на TPU v4i</translation>
        </message>
        <message>
            <source>&amp;Save project</source>
            <translation>&amp;Сохранить проект</translation>
        </message>
        <message>
            <source>Save project &amp;as…</source>
            <translation>Сохранить проект &amp;как…</translation>
        </message>
        <message>
            <source>&amp;Export view…</source>
            <translation>&amp;Экспорт вида…</translation>
        </message>
        <message>
            <source>&amp;Copy as command line</source>
            <translation>&amp;Копировать как команду</translation>
        </message>
        <message>
            <source>&amp;Quit</source>
            <translation>&amp;Выход</translation>
        </message>
        <message>
            <source>&amp;Edit</source>
            <translation>&amp;Правка</translation>
        </message>
        <message>
            <source>&amp;Undo</source>
            <translation>&amp;Отменить</translation>
        </message>
        <message>
            <source>&amp;Redo</source>
            <translation>&amp;Вернуть</translation>
        </message>
        <message>
            <source>&amp;Pin as baseline</source>
            <translation>&amp;Закрепить для сравнения</translation>
        </message>
        <message>
            <source>All as the files &amp;say</source>
            <translation>Всё как в &amp;файлах</translation>
        </message>
        <message>
            <source>&amp;View</source>
            <translation>&amp;Вид</translation>
        </message>
        <message>
            <source>&amp;Dark</source>
            <translation>&amp;Тёмный</translation>
        </message>
        <message>
            <source>&amp;Language</source>
            <translation>&amp;Язык</translation>
        </message>
        <message>
            <source>&amp;Help</source>
            <translation>&amp;Справка</translation>
        </message>
        <message>
            <source>&amp;Keyboard shortcuts</source>
            <translation>&amp;Клавиши</translation>
        </message>
        <message>
            <source>Tilewright</source>
            <translation>Tilewright</translation>
        </message>
        <message>
            <source>Graph</source>
            <translation>Граф</translation>
        </message>
        <message>
            <source>Roofline</source>
            <translation>Roofline</translation>
        </message>
        <message>
            <source>Time and energy</source>
            <translation>Время и энергия</translation>
        </message>
        <message>
            <source>Tiling</source>
            <translation>Тайлинг</translation>
        </message>
        <message>
            <source>Compare</source>
            <translation>Сравнение</translation>
        </message>
        <message>
            <source>Study</source>
            <translation>Исследование</translation>
        </message>
        <message>
            <source>Validation</source>
            <translation>Проверка</translation>
        </message>
        <message>
            <source>Drop an ONNX file here, or choose a network and a chip.</source>
            <translation>Перетащите сюда файл ONNX или выберите сеть и чип.</translation>
        </message>
        <message>
            <source>Open</source>
            <translation>Открыть</translation>
        </message>
        <message>
            <source>Networks, chips and projects (*.onnx *.csv *.yaml *.yml *.cfg);;All files (*)</source>
            <translation>Сети, чипы и проекты (*.onnx *.csv *.yaml *.yml *.cfg);;Все файлы (*)</translation>
        </message>
        <message>
            <source>Save project</source>
            <translation>Сохранить проект</translation>
        </message>
        <message>
            <source>Projects (*.yaml)</source>
            <translation>Проекты (*.yaml)</translation>
        </message>
        <message>
            <source>Export view</source>
            <translation>Экспорт вида</translation>
        </message>
        <message>
            <source>Pictures and tables (*.png *.svg *.pdf *.csv)</source>
            <translation>Рисунки и таблицы (*.png *.svg *.pdf *.csv)</translation>
        </message>
        <message>
            <source>Timeline</source>
            <translation>Расписание</translation>
        </message>
        <message>
            <source>Chip</source>
            <translation>Чип</translation>
        </message>
        <message>
            <source>answered in %1 ms</source>
            <translation>ответ за %1 мс</translation>
        </message>
        <message>
            <source>with known mappings, searching better ones…</source>
            <translation>с известными отображениями, идёт поиск лучших…</translation>
        </message>
        <message>
            <source>%1 on %2: latency %3, energy %4; %5; %6</source>
            <translation>%1 на %2: задержка %3, энергия %4; %5; %6</translation>
        </message>
        <message>
            <source>latency</source>
            <translation>задержка</translation>
        </message>
        <message>
            <source>energy</source>
            <translation>энергия</translation>
        </message>
        <message>
            <source>energy × delay</source>
            <translation>энергия × задержка</translation>
        </message>
        <message>
            <source>roofline</source>
            <translation>Roofline</translation>
        </message>
        <message>
            <source>analytical</source>
            <translation>аналитический</translation>
        </message>
        <message>
            <source>SystemC, simulated</source>
            <translation>SystemC, симуляция</translation>
        </message>
        <message>
            <source>Open a network first: a study starts from it and its chip.</source>
            <translation>Сначала откройте сеть: исследование начинается с неё и её чипа.</translation>
        </message>
        <message>
            <source>Save study</source>
            <translation>Сохранить исследование</translation>
        </message>
        <message>
            <source>Studies (*.yaml)</source>
            <translation>Исследования (*.yaml)</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::RooflineView</name>
        <message>
            <source>Roofline</source>
            <translation>Roofline</translation>
        </message>
        <message>
            <source>operations per byte</source>
            <translation>операций на байт</translation>
        </message>
        <message>
            <source>operations per second</source>
            <translation>операций в секунду</translation>
        </message>
        <message>
            <source>%1 x to %2</source>
            <translation>в %1 раз до %2</translation>
        </message>
        <message>
            <source>memory-bound</source>
            <translation>предел памяти</translation>
        </message>
        <message>
            <source>compute-bound</source>
            <translation>предел вычислений</translation>
        </message>
        <message>
            <source>bound by %1 or compute</source>
            <translation>предел %1 или вычислений</translation>
        </message>
        <message>
            <source>pinned</source>
            <translation>закреплено</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::ShortcutSheet</name>
        <message>
            <source>Keyboard shortcuts</source>
            <translation>Клавиши</translation>
        </message>
        <message>
            <source>the next or the last control</source>
            <translation>следующий или предыдущий элемент</translation>
        </message>
        <message>
            <source>Alt and a letter</source>
            <translation>Alt и буква</translation>
        </message>
        <message>
            <source>the menu or the field with this letter underlined</source>
            <translation>меню или поле с этой подчёркнутой буквой</translation>
        </message>
        <message>
            <source>turn a slider</source>
            <translation>сдвинуть ползунок</translation>
        </message>
        <message>
            <source>close a dialog or a menu</source>
            <translation>закрыть окно или меню</translation>
        </message>
        <message>
            <source>Shift and mouse</source>
            <translation>Shift и мышь</translation>
        </message>
        <message>
            <source>brush points</source>
            <translation>выделить точки</translation>
        </message>
        <message>
            <source>in the table: mark a point in the pictures</source>
            <translation>в таблице: отметить точку на рисунках</translation>
        </message>
        <message>
            <source>in the table: show the point in all views</source>
            <translation>в таблице: показать точку во всех видах</translation>
        </message>
        <message>
            <source>Plots</source>
            <translation>Графики</translation>
        </message>
        <message>
            <source>Network graph</source>
            <translation>Граф сети</translation>
        </message>
        <message>
            <source>Timeline</source>
            <translation>Расписание</translation>
        </message>
        <message>
            <source>Menus</source>
            <translation>Меню</translation>
        </message>
        <message>
            <source>Study</source>
            <translation>Исследование</translation>
        </message>
        <message>
            <source>Everywhere</source>
            <translation>Везде</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::StudyDialog</name>
        <message>
            <source>New study</source>
            <translation>Новое исследование</translation>
        </message>
        <message>
            <source>the network shown</source>
            <translation>показанная сеть</translation>
        </message>
        <message>
            <source>names of chips or of their files, separated by commas</source>
            <translation>имена чипов или их файлов через запятую</translation>
        </message>
        <message>
            <source>every point</source>
            <translation>все точки</translation>
        </message>
        <message>
            <source>points drawn at random</source>
            <translation>случайные точки</translation>
        </message>
        <message>
            <source>the best of each generation (NSGA-II)</source>
            <translation>лучшие каждого поколения (NSGA-II)</translation>
        </message>
        <message>
            <source>Points</source>
            <translation>Точки</translation>
        </message>
        <message>
            <source>&amp;Networks</source>
            <translation>&amp;Сети</translation>
        </message>
        <message>
            <source>&amp;Chips</source>
            <translation>&amp;Чипы</translation>
        </message>
        <message>
            <source>Varied</source>
            <translation>Что меняется</translation>
        </message>
        <message>
            <source>Objectives</source>
            <translation>Цели</translation>
        </message>
        <message>
            <source>&amp;Search</source>
            <translation>&amp;Поиск</translation>
        </message>
        <message>
            <source>values of %1</source>
            <translation>значения: %1</translation>
        </message>
        <message>
            <source>points: %1</source>
            <translation>точек: %1</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::StudyView</name>
        <message>
            <source>Open study</source>
            <translation>Открыть исследование</translation>
        </message>
        <message>
            <source>Studies (*.yaml)</source>
            <translation>Исследования (*.yaml)</translation>
        </message>
        <message>
            <source>%1 points/s, %2 s to go</source>
            <translation>%1 точек/с, осталось %2 с</translation>
        </message>
        <message>
            <source>%1 points</source>
            <translation>точек: %1</translation>
        </message>
        <message>
            <source>Study</source>
            <translation>Исследование</translation>
        </message>
        <message>
            <source>study file</source>
            <translation>файл исследования</translation>
        </message>
        <message>
            <source>Study file</source>
            <translation>Файл исследования</translation>
        </message>
        <message>
            <source>folder of the results</source>
            <translation>папка результатов</translation>
        </message>
        <message>
            <source>Folder of the results</source>
            <translation>Папка результатов</translation>
        </message>
        <message>
            <source>Open…</source>
            <translation>Открыть…</translation>
        </message>
        <message>
            <source>Run</source>
            <translation>Пуск</translation>
        </message>
        <message>
            <source>Horizontal axis</source>
            <translation>Горизонтальная ось</translation>
        </message>
        <message>
            <source>Vertical axis</source>
            <translation>Вертикальная ось</translation>
        </message>
        <message>
            <source>Progress</source>
            <translation>Ход</translation>
        </message>
        <message>
            <source>Points</source>
            <translation>Точки</translation>
        </message>
        <message>
            <source>Parallel coordinates</source>
            <translation>Параллельные координаты</translation>
        </message>
        <message>
            <source>Drag with the shift key to brush points.</source>
            <translation>Чтобы выделить точки, ведите мышь с клавишей Shift.</translation>
        </message>
        <message>
            <source>paused at %1 points</source>
            <translation>пауза на %1 точках</translation>
        </message>
        <message>
            <source>cancelled; the folder keeps %1 points</source>
            <translation>отменено; в папке %1 точек</translation>
        </message>
        <message>
            <source>Go on</source>
            <translation>Продолжить</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>Пауза</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>Отмена</translation>
        </message>
        <message>
            <source>Selected points are marked in the pictures; Enter or a double click shows one in all views.</source>
            <translation>Выбранные точки отмечены на рисунках; Enter или двойной щелчок показывает точку во всех видах.</translation>
        </message>
        <message>
            <source>%1, %2 on the front</source>
            <translation>%1, на фронте %2</translation>
        </message>
        <message>
            <source>New…</source>
            <translation>Новое…</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::TileCanvas</name>
        <message>
            <source>stays: reused</source>
            <translation>остаётся: повторно</translation>
        </message>
        <message>
            <source>next tile</source>
            <translation>следующий тайл</translation>
        </message>
        <message>
            <source>%1: %2 words leave</source>
            <translation>%1: уходит слов: %2</translation>
        </message>
        <message>
            <source>%1 +%2 words, used %3%4</source>
            <translation>%1 +%2 слов, взято %3%4</translation>
        </message>
        <message>
            <source>%1 of %2</source>
            <translation>%1 из %2</translation>
        </message>
        <message>
            <source>One instance. Solid: new in this step; hatched: still there; used: how often so far.</source>
            <translation>Один экземпляр. Сплошное: новое на этом шаге; штриховка: осталось; взято: сколько раз пока.</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::TilingView</name>
        <message>
            <source>Tiling</source>
            <translation>Тайлинг</translation>
        </message>
        <message>
            <source>Kernel of the layer</source>
            <translation>Ядро слоя</translation>
        </message>
        <message>
            <source>Loop nest</source>
            <translation>Гнездо циклов</translation>
        </message>
        <message>
            <source>Select a layer.</source>
            <translation>Выберите слой.</translation>
        </message>
        <message>
            <source>%1, kernel %2 of %3</source>
            <translation>%1, ядро %2 из %3</translation>
        </message>
        <message>
            <source>Whose tiles are played</source>
            <translation>Чьи тайлы показаны</translation>
        </message>
        <message>
            <source>Tiles on the tensors and in the buffers</source>
            <translation>Тайлы на тензорах и в буферах</translation>
        </message>
        <message>
            <source>Systolic wavefront</source>
            <translation>Систолический фронт</translation>
        </message>
        <message>
            <source>Step</source>
            <translation>Шаг</translation>
        </message>
        <message>
            <source>Speed</source>
            <translation>Скорость</translation>
        </message>
        <message>
            <source>One step back</source>
            <translation>Шаг назад</translation>
        </message>
        <message>
            <source>Play</source>
            <translation>Пуск</translation>
        </message>
        <message>
            <source>One step on</source>
            <translation>Шаг вперёд</translation>
        </message>
        <message>
            <source>%1 a second</source>
            <translation>%1 в секунду</translation>
        </message>
        <message>
            <source>Tiles that %1 hands out</source>
            <translation>Тайлы, которые выдаёт %1</translation>
        </message>
        <message>
            <source>Inside the first tile of %1: what it hands on</source>
            <translation>Внутри первого тайла %1: что он передаёт</translation>
        </message>
        <message>
            <source>The array, cycle by cycle</source>
            <translation>Массив, такт за тактом</translation>
        </message>
        <message>
            <source>cycle %1 of %2</source>
            <translation>такт %1 из %2</translation>
        </message>
        <message>
            <source>step %1 of %2, of several tiles each</source>
            <translation>шаг %1 из %2, в каждом несколько тайлов</translation>
        </message>
        <message>
            <source>step %1 of %2</source>
            <translation>шаг %1 из %2</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::TimelineCanvas</name>
        <message>
            <source>load</source>
            <translation>загрузка</translation>
        </message>
        <message>
            <source>store</source>
            <translation>запись</translation>
        </message>
        <message>
            <source>feed</source>
            <translation>подача</translation>
        </message>
        <message>
            <source>launch</source>
            <translation>запуск</translation>
        </message>
        <message>
            <source>array fills or drains</source>
            <translation>заполнение или слив массива</translation>
        </message>
        <message>
            <source>compute</source>
            <translation>вычисление</translation>
        </message>
        <message>
            <source>spikes</source>
            <translation>спайки</translation>
        </message>
        <message>
            <source>waits</source>
            <translation>ждёт</translation>
        </message>
        <message>
            <source>waits for the first tiles</source>
            <translation>ждёт первых тайлов</translation>
        </message>
        <message>
            <source>last results leave</source>
            <translation>уходят последние результаты</translation>
        </message>
        <message>
            <source>waits for DRAM</source>
            <translation>ждёт DRAM</translation>
        </message>
        <message>
            <source>waits behind other traffic</source>
            <translation>ждёт за чужим обменом</translation>
        </message>
        <message>
            <source>waits for a buffer</source>
            <translation>ждёт буфера</translation>
        </message>
        <message>
            <source>nothing left to do</source>
            <translation>работы нет</translation>
        </message>
        <message>
            <source>, %1</source>
            <translation>, %1</translation>
        </message>
        <message>
            <source>%1, %2
from %3, for %4</source>
            <translation>%1, %2
с %3, длится %4</translation>
        </message>
        <message>
            <source>
tile step %1</source>
            <translation>
шаг тайла %1</translation>
        </message>
        <message>
            <source>earlier, later</source>
            <translation>раньше, позже</translation>
        </message>
        <message>
            <source>other lanes</source>
            <translation>другие дорожки</translation>
        </message>
        <message>
            <source>zoom</source>
            <translation>масштаб</translation>
        </message>
        <message>
            <source>show all</source>
            <translation>показать всё</translation>
        </message>
        <message>
            <source>the start, the end</source>
            <translation>начало, конец</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::TimelineView</name>
        <message>
            <source>Export trace</source>
            <translation>Экспорт трассы</translation>
        </message>
        <message>
            <source>Traces (*.json)</source>
            <translation>Трассы (*.json)</translation>
        </message>
        <message>
            <source>Timeline</source>
            <translation>Расписание</translation>
        </message>
        <message>
            <source>Simulated schedule by resource</source>
            <translation>Расписание симуляции по ресурсам</translation>
        </message>
        <message>
            <source>Time that is shown</source>
            <translation>Показанное время</translation>
        </message>
        <message>
            <source>Lanes that are shown</source>
            <translation>Показанные дорожки</translation>
        </message>
        <message>
            <source>Simulate</source>
            <translation>Симулировать</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>Отмена</translation>
        </message>
        <message>
            <source>Export trace…</source>
            <translation>Экспорт трассы…</translation>
        </message>
        <message>
            <source>A Chrome trace, opened by Perfetto</source>
            <translation>Трасса Chrome, её открывает Perfetto</translation>
        </message>
        <message>
            <source>Closer</source>
            <translation>Ближе</translation>
        </message>
        <message>
            <source>Wider</source>
            <translation>Шире</translation>
        </message>
        <message>
            <source>All</source>
            <translation>Всё</translation>
        </message>
        <message>
            <source>%1 cycles simulated</source>
            <translation>тактов: %1</translation>
        </message>
        <message>
            <source>simulating</source>
            <translation>симуляция</translation>
        </message>
        <message>
            <source>%1 simulated</source>
            <translation>симулировано: %1</translation>
        </message>
        <message>
            <source>; the last %1 slices are not drawn</source>
            <translation>; последние %1 отрезков не нарисованы</translation>
        </message>
        <message>
            <source>cancelled</source>
            <translation>отменено</translation>
        </message>
        <message>
            <source>written to %1; open it in Perfetto</source>
            <translation>записано в %1; откройте в Perfetto</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::ValidationModel</name>
        <message>
            <source>Device</source>
            <translation>Устройство</translation>
        </message>
        <message>
            <source>Operator</source>
            <translation>Оператор</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>Формат</translation>
        </message>
        <message>
            <source>Shape</source>
            <translation>Размеры</translation>
        </message>
        <message>
            <source>Measured</source>
            <translation>Измерено</translation>
        </message>
        <message>
            <source>Predicted</source>
            <translation>Предсказано</translation>
        </message>
        <message>
            <source>Error</source>
            <translation>Ошибка</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::ValidationView</name>
        <message>
            <source>Validation</source>
            <translation>Проверка</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>Устройство</translation>
        </message>
        <message>
            <source>Operator</source>
            <translation>Оператор</translation>
        </message>
        <message>
            <source>Predicted against measured</source>
            <translation>Предсказано и измерено</translation>
        </message>
        <message>
            <source>Rows, the worst first</source>
            <translation>Строки, сначала худшие</translation>
        </message>
        <message>
            <source>all devices</source>
            <translation>все устройства</translation>
        </message>
        <message>
            <source>all operators</source>
            <translation>все операторы</translation>
        </message>
        <message>
            <source>reading the measurements…</source>
            <translation>читаю измерения…</translation>
        </message>
        <message>
            <source>%1 kernels, mean error %2 %</source>
            <translation>ядер: %1, средняя ошибка %2 %</translation>
        </message>
        <message>
            <source>measured, seconds</source>
            <translation>измерено, секунды</translation>
        </message>
        <message>
            <source>predicted, seconds</source>
            <translation>предсказано, секунды</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::WavefrontCanvas</name>
        <message>
            <source>%1 x %2 of the %3 x %4 PEs, %5; product of M %6, N %7, K %8</source>
            <translation>%1 x %2 из %3 x %4 ЭП, %5; произведение M %6, N %7, K %8</translation>
        </message>
        <message>
            <source>cycle %1 of %2: %3 PEs multiply; the number is the streamed word, w: a word that stays moves in</source>
            <translation>такт %1 из %2: умножают %3 ЭП; число — поток, w: входит слово, которое остаётся</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::WhyModel</name>
        <message>
            <source>Figure</source>
            <translation>Величина</translation>
        </message>
        <message>
            <source>Value</source>
            <translation>Значение</translation>
        </message>
        <message>
            <source>Formula</source>
            <translation>Формула</translation>
        </message>
        <message>
            <source>Source</source>
            <translation>Источник</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::WhyView</name>
        <message>
            <source>Why?</source>
            <translation>Почему?</translation>
        </message>
    </context>
    <context>
        <name>tilewright::gui::ZoomView</name>
        <message>
            <source>move across</source>
            <translation>сдвиг по горизонтали</translation>
        </message>
        <message>
            <source>move up and down</source>
            <translation>сдвиг по вертикали</translation>
        </message>
        <message>
            <source>zoom</source>
            <translation>масштаб</translation>
        </message>
        <message>
            <source>show all</source>
            <translation>показать всё</translation>
        </message>
    </context>
</TS>
