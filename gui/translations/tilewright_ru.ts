<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ru_RU" sourcelanguage="en">
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
            <source>Keyboard shortcuts</source>
            <translation>Клавиши</translation>
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
            <source>%1 on %2: latency %3, energy %4; %5; answered in %6 ms</source>
            <translation>%1 на %2: задержка %3, энергия %4; %5; ответ за %6 мс</translation>
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
            <source>The figures of a study are in its folder: tilewright export.</source>
            <translation>Числа исследования лежат в его папке: tilewright export.</translation>
        </message>
        <message>
            <source>Export view</source>
            <translation>Экспорт вида</translation>
        </message>
        <message>
            <source>Pictures and tables (*.png *.svg *.pdf *.csv)</source>
            <translation>Рисунки и таблицы (*.png *.svg *.pdf *.csv)</translation>
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
            <source>stopped at %1 points; run goes on there</source>
            <translation>остановлено на %1 точках; запуск продолжит отсюда</translation>
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
            <source>Stop</source>
            <translation>Стоп</translation>
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
</TS>
